package main

// #include "export.h"
// #include <stdlib.h>
// typedef void (*release_block)(void *);
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
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
		if err := exportArray(columnData(r, i), child); err != nil {
			return err
		}
	}
	return nil
}

// columnData returns what a column is made of. A record of the core has it without arrow-go's arrays, which take twice as much for each map that lies in another.
func columnData(r arrow.RecordBatch, i int) arrow.ArrayData {
	if own, ok := r.(interface{ ColumnData(i int) arrow.ArrayData }); ok {
		return own.ColumnData(i)
	}
	return r.Column(i).Data()
}

func exportArray(data arrow.ArrayData, out *C.struct_ArrowArray) error {
	from := data.Buffers()
	switch data.DataType().ID() {
	case arrow.NULL:
		from = nil // Arrow's C interface gives the null type no buffers
	case arrow.DENSE_UNION:
		from = from[1:] // nor unions a bitmap
	}
	n := len(from)
	buffers := make([]unsafe.Pointer, n+1)
	for i, b := range from {
		if b != nil {
			buffers[i] = unsafe.Pointer(unsafe.SliceData(b.Buf()))
		}
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
	if err := newSchema(out, "+s", "", nil, 0, s.NumFields(), false); err != nil {
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
	if err := newSchema(out, format, f.Name, extensionOf(f.Type), flags, len(children), isDictionary); err != nil {
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

func newSchema(out *C.struct_ArrowSchema, format, name string, metadata []byte, flags, children int, dictionary bool) error {
	cFormat, cName := C.CString(format), C.CString(name)
	defer C.free(unsafe.Pointer(cFormat))
	defer C.free(unsafe.Pointer(cName))
	if C.kafarr_schema_init(out, cFormat, cName, (*C.char)(unsafe.Pointer(unsafe.SliceData(metadata))), C.int64_t(len(metadata)), C.int64_t(flags),
		C.int64_t(children), flag(dictionary)) == 0 {
		return errNoMemory
	}
	return nil
}

// extensionOf returns the metadata that makes a field one of an extension type, in the interface's binary form; nil for any other.
func extensionOf(t arrow.DataType) []byte {
	extension, ok := t.(arrow.ExtensionType)
	if !ok {
		return nil
	}
	out := binary.NativeEndian.AppendUint32(nil, 2)
	for _, text := range []string{"ARROW:extension:name", extension.ExtensionName(), "ARROW:extension:metadata", extension.Serialize()} {
		out = binary.NativeEndian.AppendUint32(out, uint32(len(text))) // short texts
		out = append(out, text...)
	}
	return out
}

// formatOf returns a type's format string (https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings)
// and the fields of its children.
func formatOf(t arrow.DataType) (format string, children []arrow.Field, err error) {
	switch t := t.(type) {
	case arrow.ExtensionType:
		return formatOf(t.StorageType())
	case *arrow.DictionaryType:
		return formatOf(t.IndexType)
	case *arrow.FixedSizeBinaryType:
		return fmt.Sprintf("w:%d", t.ByteWidth), nil, nil
	case *arrow.Decimal128Type:
		return fmt.Sprintf("d:%d,%d", t.Precision, t.Scale), nil, nil
	case *arrow.Decimal256Type:
		return fmt.Sprintf("d:%d,%d,256", t.Precision, t.Scale), nil, nil
	case *arrow.TimestampType:
		return "ts" + t.Unit.String()[:1] + ":" + t.TimeZone, nil, nil
	case *arrow.Time32Type:
		return "tt" + t.Unit.String()[:1], nil, nil
	case *arrow.Time64Type:
		return "tt" + t.Unit.String()[:1], nil, nil
	case *arrow.DurationType:
		return "tD" + t.Unit.String()[:1], nil, nil
	case *arrow.StructType:
		return "+s", t.Fields(), nil
	case *arrow.ListType:
		return "+l", t.Fields(), nil
	case *arrow.MapType:
		return "+m", t.Fields(), nil
	case *arrow.DenseUnionType:
		ids := make([]string, len(t.TypeCodes()))
		for i, c := range t.TypeCodes() {
			ids[i] = strconv.Itoa(int(c))
		}
		return "+ud:" + strings.Join(ids, ","), t.Fields(), nil
	}
	if f, ok := formats[t.ID()]; ok {
		return f, nil, nil
	}
	return "", nil, fmt.Errorf("no way out of the library for the Arrow type %s", t)
}

var formats = map[arrow.Type]string{
	arrow.NULL: "n", arrow.BOOL: "b", arrow.FLOAT32: "f", arrow.FLOAT64: "g",
	arrow.INT8: "c", arrow.INT16: "s", arrow.INT32: "i", arrow.INT64: "l",
	arrow.UINT8: "C", arrow.UINT16: "S", arrow.UINT32: "I", arrow.UINT64: "L",
	arrow.STRING: "u", arrow.BINARY: "z", arrow.DATE32: "tdD",
	arrow.INTERVAL_MONTH_DAY_NANO: "tin",
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
