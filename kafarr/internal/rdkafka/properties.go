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

// Properties are the names of librdkafka's. They come from the table that librdkafka prints of itself, and so need no upkeep here.
func Properties() ([]string, error) {
	text := C.kafarr_properties()
	if text == nil {
		return nil, errors.New("no memory for the table of librdkafka's properties")
	}
	defer C.free(unsafe.Pointer(text))
	var out []string
	for line := range strings.Lines(C.GoString(text)) { // name | C, P or * | range | …
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			if scope := strings.TrimSpace(cells[1]); scope == "C" || scope == "P" || scope == "*" {
				out = append(out, strings.TrimSpace(cells[0]))
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("this version of librdkafka prints its properties in another form")
	}
	return out, nil
}
