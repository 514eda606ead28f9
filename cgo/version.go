package main

/*
#define KAFARR_TYPES_ONLY
#include "kafarr.h"
#include <stdlib.h>
#include <string.h>

// The header lies within another module: see kafarr/source/kafka/fetch.h.
typedef struct rd_kafka_conf_s rd_kafka_conf_t;
rd_kafka_conf_t *rd_kafka_conf_new(void);
void rd_kafka_conf_destroy(rd_kafka_conf_t *);
int rd_kafka_conf_get(const rd_kafka_conf_t *, const char *name, char *out, size_t *size);

// What librdkafka was built with, such as "gzip,snappy,ssl": of a configuration that was never changed.
static char *kafarr_features(void) {
  char text[1024] = "";
  size_t size = sizeof text;
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  if (rd_kafka_conf_get(conf, "builtin.features", text, &size) != 0) text[0] = 0;
  rd_kafka_conf_destroy(conf);
  return strdup(text);
}

static const char *kafarr_compiler(void) {
#ifdef __clang__
  return __VERSION__;
#else
  return "gcc " __VERSION__;
#endif
}
*/
import "C"

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"unsafe"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
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
	features := C.kafarr_features()
	defer C.free(unsafe.Pointer(features))
	text, err := json.Marshal(map[string]string{
		"version": version, "librdkafka": librdkafka, "features": C.GoString(features), "go": runtime.Version(),
		"arrow": module("github.com/apache/arrow-go/v18"), "avro": "1.12", "build": buildOptions(),
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

// buildOptions names the target, the C compiler, and Go's build settings.
func buildOptions() string {
	// Clang's version is followed by the address of its sources.
	compiler, _, _ := strings.Cut(C.GoString(C.kafarr_compiler()), " (")
	options := []string{runtime.GOOS + "/" + runtime.GOARCH, compiler}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return strings.Join(options, " ")
	}
	for _, setting := range info.Settings {
		if strings.HasPrefix(setting.Key, "-") && setting.Key != "-compiler" {
			options = append(options, setting.Key+"="+setting.Value)
		}
	}
	return strings.Join(options, " ")
}

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
