package redact_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pykafarr/pykafarr/kafarr/redact"
)

func TestSecretsLeaveTextsAndErrors(t *testing.T) {
	s := redact.New("geheim", "ab", "")
	s.Renew("token-1")
	s.Renew("token-2")
	if got := s.Text("ab geheim token-1 token-2"); got != "ab *** *** ***" {
		t.Error(got)
	}
	s.Renew("token-3")
	if got := s.Text("token-1 token-2 token-3"); got != "token-1 *** ***" {
		t.Error(got)
	}

	cause := errors.New("password geheim is wrong")
	hidden := s.Error(fmt.Errorf("refused: %w", cause))
	if hidden.Error() != "refused: password *** is wrong" || errors.Is(hidden, cause) {
		t.Errorf("%v", hidden)
	}
	if harmless := errors.New("no route"); !errors.Is(s.Error(harmless), harmless) {
		t.Error("an error without a secret is another one")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if shown := fmt.Sprintf(verb, s); strings.Contains(shown, "geheim") {
			t.Errorf("%s shows %s", verb, shown)
		}
	}
}

func TestTheFormsInWhichServersEchoSecretsLeaveTexts(t *testing.T) {
	s := redact.New(`anna:ge"h&im<1`, `ge"h&im<1`)
	for _, echoed := range []string{
		"Basic YW5uYTpnZSJoJmltPDE=", "YW5uYTpnZSJoJmltPDE", "secret=ge%22h%26im%3C1&x", `{"password":"ge\"h\u0026im\u003c1"}`, `{"password":"ge\"h&im<1"}`, `ge"h&im<1`, "Z2UiaCZpbTwx",
	} {
		if got := s.Text(echoed); got == echoed || strings.Contains(got, "im") || strings.Contains(got, "Z2U") || strings.Contains(got, "YW5") {
			t.Errorf("%s becomes %s", echoed, got)
		}
	}
}
