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

// Property is one of librdkafka's.
type Property struct {
	Name   string
	Values string // what it takes: "0 .. 900000", "true, false"; empty: any text
}

// Properties are librdkafka's. They come from the table that librdkafka prints of itself, and so need no upkeep here. A name may be there twice, for a client and for a topic.
func Properties() ([]Property, error) {
	text := C.kafarr_properties()
	if text == nil {
		return nil, errors.New("no memory for the table of librdkafka's properties")
	}
	defer C.free(unsafe.Pointer(text))
	var out []Property
	for line := range strings.Lines(C.GoString(text)) { // name | C, P or * | range | …
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			if scope := strings.TrimSpace(cells[1]); scope == "C" || scope == "P" || scope == "*" {
				out = append(out, Property{Name: strings.TrimSpace(cells[0]), Values: strings.TrimSpace(cells[2])})
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("this version of librdkafka prints its properties in another form")
	}
	return out, nil
}
