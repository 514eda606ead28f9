package main

// #include "export.h"
// #include <stdlib.h>
// typedef void (*release_block)(void *);
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

var errNoMemory = errors.New("no memory to hand over a batch")

// exportRecord fills both structs from a record. The buffers go over by reference: each is a block of cmem, since all columns of
// this library are.
func exportRecord(r arrow.RecordBatch, array *C.struct_ArrowArray, schema *C.struct_ArrowSchema) error {
	err := exportSchema(r.Schema(), schema)
	if err == nil {
		err = exportColumns(r, array)
	}
	if err != nil {
		discard(array, schema)
	}
	return err
}

// exportColumns makes the struct array that stands for a record batch.
func exportColumns(r arrow.RecordBatch, out *C.struct_ArrowArray) error {
	var noValidity [1]unsafe.Pointer
	if C.kafarr_array_init(out, C.int64_t(r.NumRows()), 0, 0, 1, &noValidity[0], C.int64_t(r.NumCols()), 0, C.release_block(cmem.ReleaseFunc())) == 0 {
		return errNoMemory
	}
	for i, child := range unsafe.Slice(out.children, int(r.NumCols())) {
		if err := exportArray(r.Column(i).Data(), child); err != nil {
			return err
		}
	}
	return nil
}

func exportArray(data arrow.ArrayData, out *C.struct_ArrowArray) error {
	buffers := make([]unsafe.Pointer, len(data.Buffers())+1)
	for i, b := range data.Buffers() {
		if b != nil {
			buffers[i] = unsafe.Pointer(unsafe.SliceData(b.Buf()))
		}
	}
	n := len(data.Buffers())
	if data.DataType().ID() == arrow.NULL {
		n = 0 // Arrow's C interface gives the null type no buffers
	}
	dictionary := data.DataType().ID() == arrow.DICTIONARY
	if C.kafarr_array_init(out, C.int64_t(data.Len()), C.int64_t(data.NullN()), C.int64_t(data.Offset()), C.int64_t(n), &buffers[0],
		C.int64_t(len(data.Children())), flag(dictionary), C.release_block(cmem.ReleaseFunc())) == 0 {
		return errNoMemory
	}
	for _, b := range buffers[:n] {
		if b != nil {
			cmem.Retain(b)
		}
	}
	for i, child := range unsafe.Slice(out.children, len(data.Children())) {
		if err := exportArray(data.Children()[i], child); err != nil {
			return err
		}
	}
	if dictionary {
		return exportArray(data.Dictionary(), out.dictionary)
	}
	return nil
}

const nullableFlag = 2 // ARROW_FLAG_NULLABLE

// exportSchema makes the struct schema that stands for a record batch's.
func exportSchema(s *arrow.Schema, out *C.struct_ArrowSchema) error {
	if err := newSchema(out, "+s", "", 0, s.NumFields(), false); err != nil {
		return err
	}
	for i, child := range unsafe.Slice(out.children, s.NumFields()) {
		if err := exportField(s.Field(i), child); err != nil {
			return err
		}
	}
	return nil
}

func exportField(f arrow.Field, out *C.struct_ArrowSchema) error {
	format, children, err := formatOf(f.Type)
	if err != nil {
		return err
	}
	flags := 0
	if f.Nullable {
		flags = nullableFlag
	}
	dictionary, isDictionary := f.Type.(*arrow.DictionaryType)
	if err := newSchema(out, format, f.Name, flags, len(children), isDictionary); err != nil {
		return err
	}
	for i, child := range unsafe.Slice(out.children, len(children)) {
		if err := exportField(children[i], child); err != nil {
			return err
		}
	}
	if isDictionary {
		return exportField(arrow.Field{Type: dictionary.ValueType, Nullable: true}, out.dictionary)
	}
	return nil
}

func newSchema(out *C.struct_ArrowSchema, format, name string, flags, children int, dictionary bool) error {
	cFormat, cName := C.CString(format), C.CString(name)
	defer C.free(unsafe.Pointer(cFormat))
	defer C.free(unsafe.Pointer(cName))
	if C.kafarr_schema_init(out, cFormat, cName, nil, 0, C.int64_t(flags), C.int64_t(children), flag(dictionary)) == 0 {
		return errNoMemory
	}
	return nil
}

// formatOf returns a type's format string (https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings)
// and the fields of its children.
func formatOf(t arrow.DataType) (format string, children []arrow.Field, err error) {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return formatOf(t.IndexType)
	case *arrow.FixedSizeBinaryType:
		return fmt.Sprintf("w:%d", t.ByteWidth), nil, nil
	case *arrow.TimestampType:
		return "ts" + t.Unit.String()[:1] + ":" + t.TimeZone, nil, nil
	case *arrow.StructType:
		return "+s", t.Fields(), nil
	case *arrow.ListType:
		return "+l", t.Fields(), nil
	}
	if f, ok := formats[t.ID()]; ok {
		return f, nil, nil
	}
	return "", nil, fmt.Errorf("no way out of the library for the Arrow type %s", t)
}

var formats = map[arrow.Type]string{
	arrow.NULL: "n", arrow.BOOL: "b", arrow.INT32: "i", arrow.INT64: "l", arrow.FLOAT32: "f", arrow.FLOAT64: "g",
	arrow.STRING: "u", arrow.BINARY: "z",
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

func discard(array *C.struct_ArrowArray, schema *C.struct_ArrowSchema) {
	C.kafarr_schema_discard(schema)
	C.kafarr_array_discard(array)
}
