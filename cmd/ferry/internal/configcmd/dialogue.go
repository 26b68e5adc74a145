package configcmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/prompt"
	"ferry/config"
	"ferry/registry"
)

// A dialogue asks on a terminal what the other commands are told.
type dialogue struct {
	*Console
	file *config.File
}

// errNoTerminal names what does without questions.
var errNoTerminal = errors.New("there is no terminal to ask on: use the commands create, update, reconnect, delete, show, " +
	"which ferry config --help lists")

// runDialogue is ferry config without a command.
func (c *Console) runDialogue(cmd *cobra.Command, f *config.File) error {
	if c.Terminal() == nil {
		return flags.Usagef("%w", errNoTerminal)
	}
	return (&dialogue{c, f}).run(cmd.Context())
}

func (d *dialogue) say(format string, args ...any) { fmt.Fprintf(d.Stderr, format+"\n", args...) }

// run asks until somebody has enough. What fails is told, and asked for again.
func (d *dialogue) run(ctx context.Context) error {
	for {
		if err := d.list(ctx); err != nil {
			return err
		}
		key, err := d.Question(ctx, "n) new  e) edit  d) delete  l) log in  c) check  q) quit: ", false)
		if err != nil {
			return err
		}
		do := map[string]func(context.Context) error{"n": d.create, "e": d.edit, "d": d.remove, "l": d.again, "c": d.try}[strings.TrimSpace(key)]
		switch {
		case strings.TrimSpace(key) == "q":
			return nil
		case do == nil:
			d.say("One of the letters is wanted.")
			continue
		}
		if err := do(ctx); err != nil {
			if ctx.Err() != nil {
				return err
			}
			d.say("ferry: %v", err)
			if errors.Is(err, prompt.ErrInterrupted) {
				d.say("This is the menu again. Remotes that it lists are saved, others are not; Ctrl-C here ends it.")
			}
		}
	}
}

// list shows what remotes there are.
func (d *dialogue) list(ctx context.Context) error {
	doc, err := d.file.Document(ctx)
	if err != nil {
		return err
	}
	d.say("\nRemotes in %s:", d.file.Path())
	listed := config.Sources{File: doc}.Remotes()
	fmt.Fprint(d.Stderr, formatRemotesLong(listed))
	if len(listed) == 0 {
		d.say("(none)")
	}
	return nil
}

// which asks for one of the remotes.
func (d *dialogue) which(ctx context.Context) (string, error) {
	name, err := d.Question(ctx, "Name of the remote: ", false)
	if err != nil {
		return "", err
	}
	name = remoteName(strings.TrimSpace(name))
	doc, err := d.file.Document(ctx)
	if err == nil && !doc.Has(name) {
		err = noSection(name)
	}
	return name, err
}

// create asks for a new remote: what it is called, what it is, and the options that most need.
func (d *dialogue) create(ctx context.Context) error {
	name, err := d.Question(ctx, "Name of the new remote: ", false)
	if err != nil {
		return err
	}
	name = remoteName(strings.TrimSpace(name))
	doc, err := d.file.Document(ctx)
	if err != nil {
		return err
	}
	if _, err := config.ParseRemote(name + ":"); err != nil {
		return err
	}
	if doc.Has(name) {
		return fmt.Errorf("remote %q is there already: edit it, or delete it first", name)
	}
	t, err := d.typ(ctx)
	if err != nil {
		return err
	}
	settings, err := d.options(ctx, t)
	if err != nil {
		return err
	}
	typed := settingWriter{obscure: true} // whatever it looks like
	err = d.file.Edit(ctx, func(draft *config.Draft) error {
		return typed.write(draft, name, append([]setting{{"type", t.Name}}, settings...))
	})
	if err != nil {
		return err
	}
	if l, err := d.loginOf(ctx, d.file, name); err == nil && !l.Optional {
		if err := d.logIn(ctx, d.file, name, loginWay{}); err != nil {
			return err
		}
	}
	return d.Check(ctx, name+":")
}

// typ asks for a type, by its name or its number.
func (d *dialogue) typ(ctx context.Context) (config.Type, error) {
	types := registry.Types()
	for i, t := range types {
		d.say("%3d  %-10s %s", i+1, flags.TopicName(t), t.Help)
	}
	for {
		text, err := d.Question(ctx, "Type (a name or a number): ", false)
		if err != nil {
			return config.Type{}, err
		}
		text = strings.TrimSpace(text)
		if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(types) {
			return types[n-1], nil
		}
		t, err := config.Sources{Types: types, Bridges: registry.Bridges()}.Type(text)
		if err == nil {
			return t, nil
		}
		d.say("%v", err)
	}
}

// options asks for the options that most remotes of a type need and, if somebody wants, for all.
func (d *dialogue) options(ctx context.Context, t config.Type) ([]setting, error) {
	first := registry.Basics(t)
	settings, err := d.askAll(ctx, first)
	if err != nil {
		return nil, err
	}
	var rest []config.Option
	for _, o := range t.Options {
		if !o.NoEffect() && o.Name != "token" && !slices.ContainsFunc(first, func(f config.Option) bool { return f.Name == o.Name }) {
			rest = append(rest, o)
		}
	}
	if len(rest) == 0 {
		return settings, nil
	}
	more, err := d.yes(ctx, fmt.Sprintf("%d more options, which most remotes do not need: go through them? y/n [n]: ", len(rest)), false)
	if err != nil || !more {
		return settings, err
	}
	others, err := d.askAll(ctx, rest)
	return append(settings, others...), err
}

func (d *dialogue) askAll(ctx context.Context, options []config.Option) ([]setting, error) {
	var settings []setting
	for _, o := range options {
		value, err := d.value(ctx, o)
		if err != nil {
			return nil, err
		}
		if value != "" {
			settings = append(settings, setting{o.Name, value})
		}
	}
	return settings, nil
}

// value asks for the value of an option, "" for none. What is secret is not shown.
func (d *dialogue) value(ctx context.Context, o config.Option) (string, error) {
	d.say("\n%s.", o.Help)
	question := o.Name
	if o.Default != "" {
		question += " [" + o.Default + "]"
	}
	for {
		text, err := d.text(ctx, o, question+": ")
		if err != nil {
			return "", err
		}
		switch bad := registry.CheckValue(o, text); {
		case bad != nil:
			d.say("%v.", bad)
		case text == "" && o.Required:
			d.say("It is required.")
		default:
			return text, nil
		}
	}
}

// text asks for a value, twice where nobody would notice that it was mistyped.
func (d *dialogue) text(ctx context.Context, o config.Option, question string) (text string, err error) {
	if o.Twice {
		text, err = d.AskTwice(ctx, question)
	} else {
		text, err = d.Question(ctx, question, o.Obscured || o.Secret)
	}
	return strings.TrimSpace(text), err
}

// yes asks a question with two answers; an empty one is usual.
func (d *dialogue) yes(ctx context.Context, question string, usual bool) (bool, error) {
	text, err := d.Question(ctx, question, false)
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "y", "yes":
		return true, err
	case "":
		return usual, err
	}
	return false, err
}

// edit asks for options of a remote until there are no more, and tries the remote.
func (d *dialogue) edit(ctx context.Context) error {
	name, err := d.which(ctx)
	if err != nil {
		return err
	}
	for {
		doc, err := d.file.Document(ctx)
		if err != nil {
			return err
		}
		if err := d.showRemote(doc, name, false); err != nil {
			return err
		}
		key, err := d.Question(ctx, "Option to change (empty: done): ", false)
		if err != nil {
			return err
		}
		if key = strings.TrimSpace(key); key == "" {
			return d.Check(ctx, name+":")
		}
		if err := d.change(ctx, doc, name, key); err != nil {
			d.say("ferry: %v", err)
		}
	}
}

// change asks for the value of one option.
func (d *dialogue) change(ctx context.Context, doc *config.Document, name, key string) error {
	typ, _ := doc.Get(name, "type")
	t, err := config.Sources{Types: registry.Types(), Bridges: registry.Bridges()}.Type(typ)
	if err != nil {
		return err
	}
	o, ok := t.Option(key)
	if !ok {
		return fmt.Errorf("type %s has no option %q: ferry help backends %s lists them", t.Name, key, flags.TopicName(t))
	}
	o.Required = false // an empty value is the end of one that is set
	value, err := d.value(ctx, o)
	if err != nil {
		return err
	}
	return d.file.Edit(ctx, func(draft *config.Draft) error {
		if value == "" {
			draft.DeleteKey(name, key)
			return nil
		}
		return settingWriter{obscure: true}.write(draft, name, []setting{{key, value}})
	})
}

func (d *dialogue) remove(ctx context.Context) error {
	name, err := d.which(ctx)
	if err != nil {
		return err
	}
	if sure, err := d.yes(ctx, fmt.Sprintf("Remove %q from the configuration? What is on it stays. y/n [n]: ", name), false); err != nil || !sure {
		return err
	}
	return d.file.Edit(ctx, func(draft *config.Draft) error {
		draft.DeleteSection(name)
		return nil
	})
}

func (d *dialogue) again(ctx context.Context) error {
	name, err := d.which(ctx)
	if err != nil {
		return err
	}
	return d.logIn(ctx, d.file, name, loginWay{})
}

func (d *dialogue) try(ctx context.Context) error {
	name, err := d.which(ctx)
	if err != nil {
		return err
	}
	return d.Check(ctx, name+":")
}
