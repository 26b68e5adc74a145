package prompt

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns a terminal, and what a person types and reads on.
func openTerminal(t *testing.T) (tty, person *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no terminals here:", err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return tty, person // without Close: a question that was interrupted may still read from it
}

func echoes(t *testing.T, tty *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

func TestAskTwice(t *testing.T) {
	tty, person := openTerminal(t)
	if _, err := person.WriteString("one\ntwo\nthree\nthree\n"); err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	got, err := Prompt{Stdin: tty, Stderr: &shown}.AskTwice(t.Context(), "New: ")
	if err != nil || got != "three" {
		t.Errorf("got %q, %v", got, err)
	}
	if want := "New: \nAgain: \nThese are two different passwords.\nNew: \nAgain: \n"; shown.String() != want {
		t.Errorf("it says %q", shown.String())
	}
	if !echoes(t, tty) {
		t.Error("the terminal does not echo any more")
	}
	if _, err := person.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	shown.Reset()
	got, err = Prompt{Stdin: tty, Stderr: &shown}.AskTwice(t.Context(), "New: ")
	if err != nil || got != "" || shown.String() != "New: \n" {
		t.Errorf("got %q, %v; it says %q", got, err, shown.String())
	}
}

// Whoever interrupts a question keeps a terminal that shows what is typed.
func TestInterruptedQuestion(t *testing.T) {
	tty, person := openTerminal(t)
	signals, caught := make(chan os.Signal, 1), false
	p := Prompt{Stdin: tty, Stderr: io.Discard, Signals: signals, Catch: func() { caught = true }}
	go func() {
		for echoes(t, tty) { // until the question is there
			time.Sleep(time.Millisecond)
		}
		signals <- os.Interrupt
	}()
	if _, err := p.Ask(t.Context(), "Password: "); err == nil || err.Error() != "interrupted" {
		t.Errorf("got %v", err)
	}
	if !caught {
		t.Error("signals were not asked for")
	}
	if !echoes(t, tty) {
		t.Error("the terminal does not echo any more")
	}
	if _, err := person.WriteString("\n"); err != nil { // ends the read
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := p.Ask(ctx, "Password: "); err == nil {
		t.Error("a question outlives its context")
	}
}

func TestLine(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "a", "a\r\nb\n": "a", "\n": ""} {
		if got, err := (Prompt{Stdin: strings.NewReader(text)}).Line(); err != nil || got != want {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	p := Prompt{Stdin: strings.NewReader("x")}
	if _, err := p.Ask(t.Context(), ""); err == nil || p.Terminal() != nil {
		t.Error("a question was asked without a terminal")
	}
}

// What is pasted may be longer than a line of a terminal; what is typed after it is for the next
// question.
func TestQuestions(t *testing.T) {
	tty, person := openTerminal(t)
	long := strings.Repeat("0123456789", 2000)
	go func() {
		for echoes(t, tty) { // until the question is there
			time.Sleep(time.Millisecond)
		}
		_, _ = person.WriteString("\x1b[200~" + long + "\x1b[201~\rsecond\x7f\x7fö\x7f\x1b[Dx\rcleared\x15third\n\x03") // a failure shows below
	}()
	var shown strings.Builder
	p := Prompt{Stdin: tty, Stderr: &shown}
	for i, want := range []string{long, "secox", "third"} {
		got, err := p.Question(t.Context(), "Q: ", i == 0)
		if err != nil || got != want {
			t.Fatalf("got %d characters %.20q, %v", len(got), got, err)
		}
	}
	if _, err := p.Question(t.Context(), "Q: ", false); err == nil || err.Error() != "interrupted" {
		t.Errorf("Ctrl-C: %v", err)
	}
	if text := shown.String(); strings.Contains(text, "0123") || !strings.Contains(text, "third") {
		t.Errorf("it shows %.100q", text)
	}
	if !echoes(t, tty) {
		t.Error("the terminal does not echo any more")
	}
}

// A question that is not wanted any more takes nothing of what is typed after it.
func TestAQuestionEnds(t *testing.T) {
	tty, person := openTerminal(t)
	ctx, stop := context.WithCancel(t.Context())
	signals := make(chan os.Signal, 1)
	p := Prompt{Stdin: tty, Stderr: io.Discard, Signals: signals}
	for _, end := range []func(){stop, func() { signals <- os.Interrupt }} {
		go func() {
			for echoes(t, tty) { // until the question is there
				time.Sleep(time.Millisecond)
			}
			end()
		}()
		if _, err := p.Question(ctx, "Q: ", false); err == nil {
			t.Error("the question was answered")
		}
		ctx = t.Context()
	}
	if _, err := person.WriteString("answer\r"); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Question(ctx, "Q: ", false); err != nil || got != "answer" {
		t.Errorf("got %q, %v", got, err)
	}
}
