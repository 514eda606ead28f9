// The C boundary of kafarr, built with -buildmode=c-shared. An export translates and decides nothing: guard, handle, one call, result.
// kafarr.h is the contract.
package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
// #include <stdlib.h>
import "C"

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"sync"
	"unsafe"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// version is set by the build from the Python package's version.
var version = "unknown"

// versionText is a plain variable: a leak checker does not look for pointers on Go's heap.
var (
	versionOnce sync.Once
	versionText *C.char
)

func makeVersionText() {
	_, librdkafka := kafka.LibraryVersion()
	text, err := json.Marshal(map[string]string{
		"version": version, "librdkafka": librdkafka, "go": runtime.Version(), "arrow": module("github.com/apache/arrow-go/v18"),
		"avro": "1.12",
	})
	if err != nil {
		text = []byte("{}")
	}
	versionText = C.CString(string(text))
}

//export kafarr_version
func kafarr_version() *C.char {
	versionOnce.Do(makeVersionText)
	return versionText
}

//export kafarr_live_bytes
func kafarr_live_bytes() C.int64_t { return C.int64_t(cmem.Live()) }

//export kafarr_free
func kafarr_free(text unsafe.Pointer) { C.free(text) }

// module returns the version of a module that this library was built with.
func module(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "unknown"
}

func main() {}
