package house_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// Log messages begin with a small letter, as errors do: what is particular is in their attributes.
func TestLogMessages(t *testing.T) {
	for _, p := range listPackages(t) {
		report(t, checkMessages(readSources(t, p.Dir)))
	}
}

// checkMessages returns the log messages of one package that begin with a capital. A first word in
// capitals is one of a protocol or of the system: TLS, MDTM, SIGHUP.
func checkMessages(sources map[string]string) []string {
	fset := token.NewFileSet()
	var findings []string
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, sources[name], parser.SkipObjectResolution)
		if err != nil {
			findings = append(findings, err.Error())
			continue
		}
		for _, d := range f.Decls {
			for call, text := range logMessages(d) {
				if beginsWithCapital(text) {
					findings = append(findings, fmt.Sprintf("%s: the log message %q begins with a capital", fset.Position(call.Pos()), text))
				}
			}
		}
	}
	return findings
}

// logMessages yields the calls in d that log with the beginnings of their messages, as far as those
// are literals in d.
func logMessages(d ast.Decl) iter.Seq2[*ast.CallExpr, string] {
	return func(yield func(*ast.CallExpr, string) bool) {
		assigned := map[string][]ast.Expr{}
		ast.Inspect(d, func(n ast.Node) bool {
			if a, is := n.(*ast.AssignStmt); is && len(a.Lhs) == len(a.Rhs) {
				for i, to := range a.Lhs {
					if id, is := to.(*ast.Ident); is {
						assigned[id.Name] = append(assigned[id.Name], a.Rhs[i])
					}
				}
			}
			return true
		})
		ast.Inspect(d, func(n ast.Node) bool {
			call, is := n.(*ast.CallExpr)
			if !is {
				return true
			}
			message := logMessage(call)
			texts := []ast.Expr{message}
			if id, is := message.(*ast.Ident); is {
				texts = assigned[id.Name]
			}
			for _, expr := range texts {
				if text, is := beginning(expr); is && !yield(call, text) {
					return false
				}
			}
			return true
		})
	}
}

// messageAt is where the methods of a *slog.Logger take their message. remote.Warn is like
// WarnContext.
var messageAt = map[string]int{
	"Debug": 0, "Info": 0, "Warn": 0, "Error": 0,
	"DebugContext": 1, "InfoContext": 1, "WarnContext": 1, "ErrorContext": 1,
	"Log": 2, "LogAttrs": 2,
}

// logMessage returns the message of a call that logs, or nil.
func logMessage(call *ast.CallExpr) ast.Expr {
	method, is := call.Fun.(*ast.SelectorExpr)
	if !is {
		return nil
	}
	at, logs := messageAt[method.Sel.Name]
	var on string
	switch x := method.X.(type) {
	case *ast.Ident:
		on = x.Name
	case *ast.SelectorExpr:
		on = x.Sel.Name
	}
	switch {
	case on == "remote" && method.Sel.Name == "Warn":
		at = 1
	case !logs || !strings.Contains(strings.ToLower(on), "log"):
		return nil
	}
	if at >= len(call.Args) {
		return nil
	}
	return call.Args[at]
}

// beginning returns the string literal that expr begins with.
func beginning(expr ast.Expr) (string, bool) {
	for {
		sum, is := expr.(*ast.BinaryExpr)
		if !is {
			break
		}
		expr = sum.X
	}
	literal, is := expr.(*ast.BasicLit)
	if !is || literal.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(literal.Value)
	return text, err == nil
}

func beginsWithCapital(text string) bool {
	word, _, _ := strings.Cut(text, " ")
	letters := []rune(word)
	return len(letters) > 0 && unicode.IsUpper(letters[0]) && (len(letters) == 1 || !unicode.IsUpper(letters[1]))
}

func TestCheckMessages(t *testing.T) {
	tests := []struct{ line, want string }{
		{`log.Info("the remote answers again")`, ""},
		{`log.Info("The remote answers again")`, `"The remote answers again" begins with a capital`},
		{`s.log.WarnContext(ctx, "A file stays", "error", err)`, `"A file stays"`},
		{`s.logger.LogAttrs(ctx, level, "Files wait: "+ strings.Join(list, ", "))`, `"Files wait: "`},
		{`t.opt.Log.Log(ctx, level, "Listing")`, `"Listing"`},
		{`slog.Error("Stopped")`, `"Stopped"`},
		{`remote.Warn(ctx, "Nothing is mounted")`, `"Nothing is mounted"`},
		{`log.Warn("TLS handshake failed")`, ""},
		{`log.Info(message, "Path", "The")`, ""},
		{`what := "Listed"; log.Info(what)`, `"Listed"`},
		{`what := "listed"; if part { what = "Listed a part" }; log.Info(what)`, `"Listed a part"`},
		{`t.Error("Write succeeds")`, ""},
		{`http.Error(w, "Unauthorized", 401)`, ""},
		{`errors.New("Not a log")`, ""},
	}
	for _, tt := range tests {
		src := "package p\nfunc f() {\n\t" + tt.line + "\n}\n"
		expect(t, checkMessages(map[string]string{"p.go": src}), tt.want)
		expect(t, checkMessages(map[string]string{"p_test.go": src}), "")
	}
}
