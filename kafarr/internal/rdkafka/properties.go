package rdkafka

/*
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

// See source/kafka/fetch.h on why this is repeated.
void rd_kafka_conf_properties_show(FILE *);

static char *kafarr_properties(void) {
  char *text = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  if (file == NULL) return NULL;
  rd_kafka_conf_properties_show(file);
  fclose(file);
  return text;
}
*/
import "C"

import (
	"errors"
	"strings"
	"unsafe"
)

// Properties are librdkafka's, by name: "C" those for consumers only, "P" those for producers only, "*" the others. They come from the table that librdkafka prints of
// itself, and so need no upkeep here.
func Properties() (map[string]string, error) {
	text := C.kafarr_properties()
	if text == nil {
		return nil, errors.New("no memory for the table of librdkafka's properties")
	}
	defer C.free(unsafe.Pointer(text))
	out := map[string]string{}
	for line := range strings.Lines(C.GoString(text)) { // name | C, P or * | range | …
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			if scope := strings.TrimSpace(cells[1]); scope == "C" || scope == "P" || scope == "*" {
				out[strings.TrimSpace(cells[0])] = scope
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("this version of librdkafka prints its properties in another form")
	}
	return out, nil
}
