package kafka

/*
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

// See fetch.h on why this is repeated.
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

// consumerProperties are the names of the properties that are for consumers only. They come from the table that librdkafka prints of itself, and so need no upkeep here.
// A producer ignores them, too, but with a line in the log for each.
func consumerProperties() (map[string]bool, error) {
	text := C.kafarr_properties()
	if text == nil {
		return nil, errors.New("no memory for the table of librdkafka's properties")
	}
	defer C.free(unsafe.Pointer(text))
	out := map[string]bool{}
	for line := range strings.Lines(C.GoString(text)) { // name | C, P or * | range | …
		if cells := strings.Split(line, "|"); len(cells) > 2 && strings.TrimSpace(cells[1]) == "C" {
			out[strings.TrimSpace(cells[0])] = true
		}
	}
	if len(out) == 0 {
		return nil, errors.New("this version of librdkafka prints its properties in another form")
	}
	return out, nil
}
