package avro_test

import (
	"errors"
	"slices"
	"testing"
	"unsafe"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/format/avro"
)

// TestAvroIsReadThroughTheFormatAlone uses nothing of package avro but its Format, as a reader of messages of any format does.
func TestAvroIsReadThroughTheFormatAlone(t *testing.T) {
	var f format.Format = avro.Format{}
	if f.SchemaType() != "AVRO" {
		t.Fatalf("the schema type is %q", f.SchemaType())
	}
	writer, err := f.Parse(`{"type":"record","name":"n.R","fields":[{"name":"a","type":"int"},{"name":"b","type":"n.E"}]}`,
		[]format.Reference{{Name: "n.E", Text: `{"type":"enum","name":"n.E","symbols":["X","Y"]}`}}, format.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := f.Parse(`{"type":"record","name":"n.S","aliases":["n.R"],"fields":[{"name":"a","type":"long"}]}`, nil, format.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !reader.Reads(writer) || writer.Reads(reader) || !writer.Reads(writer) {
		t.Error("a schema reads its own type, and those that it names as aliases, and no other")
	}
	if _, ok := writer.(format.Fingerprinted); !ok {
		t.Error("a schema of Avro has a fingerprint")
	}
	plan, err := f.Compile(writer, format.Options{Reader: reader})
	if err != nil {
		t.Fatal(err)
	}
	if plan.MessageType() != "n.S" || len(plan.Fields()) != 1 || plan.Fields()[0].Name != "a" {
		t.Errorf("the plan has the type %s and the fields %v", plan.MessageType(), plan.Fields())
	}
	own, err := f.Compile(writer, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if own.Shape() == plan.Shape() || own.Size() <= 0 || own.ColumnsSize() <= 0 || own.AppenderSize() <= 0 {
		t.Error("another schema has another shape, and every plan has a size")
	}
	columns := plan.NewColumns()
	defer columns.Release()
	appender := plan.Bind(columns)
	good, bad := []byte{4, 2}, []byte{4}
	body := func(b []byte) format.Body { return format.Body{Data: unsafe.Pointer(&b[0]), Len: len(b)} }
	n, err := appender.Append([]format.Body{body(good), body(good), body(bad), body(good)})
	if n != 2 || columns.Rows() != 2 || err == nil || errors.Is(err, format.ErrFull) || errors.Is(err, format.ErrLong) {
		t.Errorf("%d of the bodies before the bad one were appended, %d rows are there, and the error is %v", n, columns.Rows(), err)
	}
	for _, data := range columns.Finish() {
		if data.Len() != 2 {
			t.Errorf("a column has %d rows", data.Len())
		}
		data.Release()
	}
}

// TestASchemaThatIsNotThereIsNoReader passes the nil of a *Schema as the reader, which is no nil of an interface.
func TestASchemaThatIsNotThereIsNoReader(t *testing.T) {
	writer, err := avro.Parse(`"string"`)
	if err != nil {
		t.Fatal(err)
	}
	var none *avro.Schema
	plan, err := avro.Compile(writer, format.Options{Reader: none})
	if err != nil || plan.MessageType != "string" {
		t.Errorf("the writer's own schema is read: %v", err)
	}
	if _, err := (avro.Format{}).Parse(`{`, nil, format.Limits{}); err == nil {
		t.Error("half a schema is an error")
	}
	broken, _ := avro.Format{}.Parse(`{`, nil, format.Limits{})
	if broken != nil {
		t.Error("there is no schema beside an error")
	}
}

// TestTheFormatAllocatesNothingForARow holds the rule that interfaces are called for runs of messages.
func TestTheFormatAllocatesNothingForARow(t *testing.T) {
	writer, err := avro.Format{}.Parse(`{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`, nil, format.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := avro.Format{}.Compile(writer, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	columns := plan.NewColumns()
	defer columns.Release()
	appender := plan.Bind(columns)
	one := []byte{2}
	bodies := slices.Repeat([]format.Body{{Data: unsafe.Pointer(&one[0]), Len: 1}}, 1000)
	allocated := testing.AllocsPerRun(10, func() {
		if n, err := appender.Append(bodies); n != len(bodies) || err != nil {
			t.Fatalf("%d rows: %v", n, err)
		}
		columns.Truncate(0)
	})
	if allocated >= 10 {
		t.Errorf("%v allocations for 1000 rows", allocated)
	}
}
