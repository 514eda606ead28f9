package schema

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// The rule that decides whose fault it is that a schema cannot be read: an option's, if the same schema can be read without that option. Then the messages are good, and none of
// them is passed, whatever Messages.Errors says: a mistyped column would otherwise consume the topic. What cannot be read without the options either is the schema's own fault.

// droppable are the options that may be at fault, and what reading is like without each.
var droppable = []struct {
	name  string
	given func(format.Options) bool
	drop  func(*format.Options)
	do    string // what mends it
}{
	{
		"columns", func(o format.Options) bool { return len(o.Columns) > 0 },
		// Columns may have left out a field that is recursive: that is not what the question is about.
		func(o *format.Options) { o.Columns, o.Recursion = nil, format.JSON },
		"correct columns; where some versions of a type lack a field, a reader_schema with a default for it reads them all",
	},
	{
		"reader_schema", func(o format.Options) bool { return o.Reader != nil },
		func(o *format.Options) { o.Reader = nil },
		"correct reader_schema: this version of the type cannot be read as it",
	},
	{
		"limits", func(o format.Options) bool { return o.Limits.Lowered() },
		func(o *format.Options) { o.Limits = o.Limits.Loosened() },
		"raise limits: they are below the defaults, which allow this schema",
	},
	{
		"unknown_members", func(o format.Options) bool { return o.UnknownMembers == format.KeepUnknown },
		func(o *format.Options) { o.UnknownMembers = format.CountUnknown },
		"leave unknown_members at its default",
	},
	{
		"unions", func(o format.Options) bool { return o.Unions != format.StructUnions },
		func(o *format.Options) { o.Unions = format.StructUnions },
		"leave unions at its default",
	},
}

// compileFault is the error of a schema that has no plan under these options.
func compileFault(f format.Format, cause error, schema format.Schema, options format.Options) *status.Error {
	e := status.Wrap(cause)
	if e.Code != status.SchemaError && e.Code != status.IncompatibleSchemaError {
		return e
	}
	reads := func(o format.Options) bool {
		_, err := f.Compile(schema, o)
		return err == nil
	}
	var names, remedies []string
	all := options
	for _, option := range droppable {
		if !option.given(options) {
			continue
		}
		without := options
		option.drop(&without)
		if reads(without) {
			return blame(e, option.name, option.do)
		}
		option.drop(&all)
		names, remedies = append(names, option.name), append(remedies, option.do)
	}
	if len(names) > 1 && reads(all) {
		return blame(e, strings.Join(names, ", "), strings.Join(remedies, "; "))
	}
	return e
}

// parseFault is the error of a schema's text that cannot be parsed within these limits.
func parseFault(f format.Format, cause error, limits format.Limits, schema registry.Schema) *status.Error {
	e := nameDuplicates(status.Wrap(cause), cause, schema)
	if !limits.Lowered() {
		return e
	}
	if _, err := f.Parse(schema.Text, references(schema), limits.Loosened()); err != nil {
		return e
	}
	return blame(e, "limits", "raise limits: they are below the defaults, which allow this schema")
}

// nameDuplicates adds where a type that is defined twice is defined: two references may lead to two versions of it, each of them good.
func nameDuplicates(e *status.Error, cause error, schema registry.Schema) *status.Error {
	var twice format.DuplicateError
	if !errors.As(cause, &twice) {
		return e
	}
	texts := twice.Duplicates()
	if len(texts) == 0 || texts[0] == texts[1] {
		return e
	}
	place := func(i int) string {
		if i == len(schema.References) {
			return "the schema itself"
		}
		return schema.References[i].Source
	}
	one, other := place(texts[0]), place(texts[1])
	if one == "" || other == "" {
		return e
	}
	e.Err = fmt.Errorf("%w: in %s, and in %s, which its references lead to: register it with references that lead to one version of the type", e.Err, one, other)
	return e
}

// blame makes an error one of the caller's option. An incompatible schema keeps its class, which programs know.
func blame(e *status.Error, option, remedy string) *status.Error {
	if e.Code == status.SchemaError {
		e.Code = status.ConfigError
	}
	e.Option = option
	e.Err = fmt.Errorf("%w (%s)", e.Err, remedy)
	return e
}
