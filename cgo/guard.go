package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr"
)

// poisoned is the first panic: whatever state it left is not to be trusted, so every later call fails at once.
var poisoned atomic.Pointer[string]

var errPending = errors.New("not finished within the slice")

// guard runs the work of an export. No panic leaves it; an error fills e.
func guard(e *C.struct_kafarr_error, work func() error) (status C.int32_t) {
	defer func() {
		if p := recover(); p != nil {
			status = fail(e, poison(p))
		}
	}()
	if first := poisoned.Load(); first != nil {
		return fail(e, internal("the library has failed before and refuses further calls: %s", *first))
	}
	switch err := work(); {
	case err == nil:
		return C.KAFARR_OK
	case errors.Is(err, errPending):
		return C.KAFARR_PENDING
	default:
		return fail(e, err)
	}
}

// coded returns an error that has a code and no place.
func coded(code kafarr.Code, format string, args ...any) error {
	return &kafarr.Error{Code: code, Partition: -1, Offset: -1, SchemaID: -1, Err: fmt.Errorf(format, args...)}
}

func internal(format string, args ...any) error { return coded(kafarr.InternalError, format, args...) }

func configError(format string, args ...any) error { return coded(kafarr.ConfigError, format, args...) }

// poison takes a panic that was recovered from.
func poison(p any) error {
	text := fmt.Sprintf("panic: %v", p)
	poisoned.CompareAndSwap(nil, &text)
	return internal("the library has failed and refuses further calls; please report this: %s\n%s", text, debug.Stack())
}

// spawn runs a goroutine for an operation. A panic in it poisons the library and becomes the operation's error.
func spawn(f func(), failed func(error)) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				failed(poison(p))
			}
		}()
		f()
	}()
}

// fail writes an error into the caller's struct.
func fail(e *C.struct_kafarr_error, err error) C.int32_t {
	var k *kafarr.Error
	if !errors.As(err, &k) {
		errors.As(internal("%w", err), &k)
	}
	if e != nil {
		e.code = C.int32_t(k.Code)
		e.partition = C.int32_t(k.Partition)
		e.offset = C.int64_t(k.Offset)
		e.schema_id = C.int64_t(k.SchemaID)
		put(e.topic[:], k.Topic)
		put(e.path[:], k.Path)
		put(e.message[:], shown(k.Error()))
	}
	return C.int32_t(k.Code)
}

// codeOf is the code of an error.
func codeOf(err error) int {
	var k *kafarr.Error
	if errors.As(err, &k) {
		return int(k.Code)
	}
	return int(kafarr.InternalError)
}

// shown is a text whose control characters, and those that change the direction of writing, are escapes: names and texts from outside are in errors, which may be printed to a terminal.
func shown(text string) string {
	if strings.IndexFunc(text, escaped) < 0 {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if escaped(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func escaped(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
}

// put copies a text into a C array, cut at a character boundary if it does not fit, and ends it with NUL.
func put(to []C.char, text string) {
	room := unsafe.Slice((*byte)(unsafe.Pointer(&to[0])), len(to))
	n := len(text)
	if n > len(room)-1 {
		n = len(room) - 1
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
	}
	copy(room, text[:n])
	room[n] = 0
}

// giveJSON gives a value to the caller as JSON, who frees the text with kafarr_free.
func giveJSON(out **C.char, value any) error {
	text, err := json.Marshal(value)
	if err == nil {
		*out = C.CString(string(text))
	}
	return err
}
