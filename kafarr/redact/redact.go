// Package redact takes secrets out of texts: a server or a library that repeats a secret must not bring it into our errors
// and log lines.
package redact

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Secrets are texts that nobody may see. They may be used by several goroutines at once.
type Secrets struct {
	mu    sync.RWMutex
	known []string
	last  [][]string // of Renew, the forms of each
}

// shortest is the length from which a secret is taken out: a shorter one would be found in every other word.
const shortest = 4

// New knows these secrets, and the forms in which a server that echoes a request would show them.
func New(secrets ...string) *Secrets {
	s := &Secrets{}
	for _, secret := range secrets {
		if !tooShort(secret) {
			s.known = append(s.known, forms(secret)...)
		}
	}
	slices.SortFunc(s.known, longestFirst)
	s.known = slices.Compact(s.known)
	return s
}

// longestFirst keeps a secret that is a part of another one, such as the password in "user:password", from leaving a rest of that one.
func longestFirst(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) }

// forms are a secret as it is, in base64 (HTTP's Basic login, SASL), quoted in a URL or a form, and escaped in JSON.
func forms(secret string) []string {
	escaped, _ := json.Marshal(secret) // a string always has a form
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(secret) // likewise
	inQuotes := strings.TrimSpace(plain.String())
	return []string{
		secret,
		strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="), strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(secret)), "="),
		url.QueryEscape(secret), url.PathEscape(secret),
		string(escaped[1 : len(escaped)-1]), inQuotes[1 : len(inQuotes)-1],
	}
}

func tooShort(secret string) bool { return len(secret) < shortest }

// Renew knows one more secret, which takes the place of the last but one that came this way: a token still does harm when its
// successor is there.
func (s *Secrets) Renew(secret string) {
	if tooShort(secret) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = append(s.last[max(0, len(s.last)-1):], forms(secret))
}

// Text is the text with *** for each secret.
func (s *Secrets) Text(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secrets := range append([][]string{s.known}, s.last...) {
		for _, secret := range secrets {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// Error is the error as it is, or, where its text holds a secret, one with *** for it and without causes: any of them could be printed.
func (s *Secrets) Error(err error) error {
	if text := s.Text(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// String and GoString keep fmt's verbs from printing what is to stay hidden.
func (s *Secrets) String() string { return "secrets" }

// GoString is String.
func (s *Secrets) GoString() string { return s.String() }
