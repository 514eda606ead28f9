package avro

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Keys sets the keys that the next bodies are encrypted with.
func (a *Appender) Keys(keys format.Keys) { a.keys = keys }

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
	value := format.Span(base, pos, n)
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
