// Package redact takes secrets out of texts: a server or a library that echoes what it was given must not bring it into our
// errors and log lines.
package redact

import (
	"errors"
	"slices"
	"strings"
	"sync"
)

// Secrets are texts that nobody may see. They may be used by several goroutines at once.
type Secrets struct {
	mu    sync.RWMutex
	known []string
	last  []string // of Renew
}

// shortest is the length from which a secret is taken out: a shorter one would be found in every other word.
const shortest = 4

// New knows these secrets.
func New(secrets ...string) *Secrets {
	return &Secrets{known: slices.DeleteFunc(slices.Clone(secrets), tooShort)}
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
	s.last = append(s.last[max(0, len(s.last)-1):], secret)
}

// Text is the text with *** for each secret.
func (s *Secrets) Text(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secrets := range [][]string{s.known, s.last} {
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
