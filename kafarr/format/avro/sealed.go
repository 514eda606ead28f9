package avro

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf8"
	"unsafe"
)

// Opener decrypts the values of one key. It appends what they hold to dst, and needs no more room than they have themselves.
type Opener interface {
	Open(dst, sealed []byte) ([]byte, error)
}

// Keys are those that the bodies of an Appender are encrypted with.
type Keys interface {
	// Versioned tells whether the values of a rule begin with the version of their key.
	Versioned(rule int) bool
	// Opener is the key of a rule and a version, which is 1 where values have none; nil: it is not known, which is a *KeyError of the row.
	Opener(rule, version int) Opener
}

// KeyError is the error of a row whose value needs a key that Appender.Keys does not have. Once it has, the row may be appended again.
type KeyError struct {
	Path          string
	Rule, Version int
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("%s: version %d of the key is not known", e.Path, e.Version)
}

// Keys sets the keys that the next bodies are encrypted with.
func (a *Appender) Keys(keys Keys) { a.keys = keys }

// What a sealed value was written as, and is read as. Serializers write the ciphertext of a string in base64.
const (
	sealedText   = 1
	unsealedText = 2
)

func sealing(text, asText bool) (flags int) {
	if text {
		flags |= sealedText
	}
	if asText {
		flags |= unsealedText
	}
	return flags
}

// A versioned value is a zero byte, the key's version in 4 bytes, and the ciphertext.
const versionBytes = 5

// sealed reads an encrypted value: what it holds is decrypted into the column's own memory.
func (a *Appender) sealed(s *boundStep, i int, base unsafe.Pointer, pos, end int) int {
	n, pos := a.length(i, base, pos, end)
	if pos < 0 {
		return failed
	}
	value := span(base, pos, n)
	if s.size&sealedText != 0 {
		var err error
		if a.text, err = base64.StdEncoding.AppendDecode(a.text[:0], value); err != nil {
			return a.fail(faultSealed, i, 0)
		}
		value = a.text
	}
	rule, version := s.more.table[0], 1
	if a.keys.Versioned(rule) {
		if len(value) < versionBytes || value[0] != 0 {
			return a.fail(faultSealed, i, 0)
		}
		version = int(int32(binary.BigEndian.Uint32(value[1:]))) //nolint:gosec // as it was written
		if value = value[versionBytes:]; version < 1 {
			return a.fail(faultSealed, i, 0)
		}
	}
	opener := a.keys.Opener(rule, version)
	if opener == nil {
		return a.fail(faultKey, i, int64(version))
	}
	if !s.varlen.Fits(len(value)) {
		return a.fail(faultFull, i, 0)
	}
	room := unsafe.Slice((*byte)(s.varlen.Room(len(value))), len(value))
	plain, err := opener.Open(room[:0], value)
	switch {
	case err != nil || len(plain) > len(room):
		return a.fail(faultSealed, i, 0)
	case s.size&unsealedText != 0 && !utf8.Valid(plain):
		return a.fail(faultUTF8, i, 0)
	case len(plain) > 0 && &plain[0] != &room[0]:
		copy(room, plain)
	}
	s.varlen.Took(len(plain))
	return pos + n
}

// sealedRules are the rules whose values steps decrypt.
func sealedRules(steps []step) []int {
	var found []int
	for i := range steps {
		if steps[i].code == opSealed {
			found = append(found, steps[i].table[0])
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
