package protobuf

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/bufbuild/protocompile/parser"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Parse reads a schema: the text of a .proto file, a FileDescriptorProto or a FileDescriptorSet, whose last file counts, as bytes or in base64. The references are the files that it
// imports, by their paths. Imports that nobody has may be of options only: they are an error where a column needs one of their types.
func Parse(text string, references []format.Reference, limits format.Limits) (*Schema, error) {
	l, err := limits.Resolved()
	if err != nil {
		return nil, status.Errorf(status.SchemaError, "%v", err)
	}
	files, err := parseFiles("", text)
	if err != nil {
		return nil, err
	}
	length := len(text)
	main := files[len(files)-1]
	known := map[string][]*descriptorpb.FileDescriptorProto{}
	for _, f := range files[:len(files)-1] {
		known[f.GetName()] = append(known[f.GetName()], f)
	}
	parsed := map[string][]*descriptorpb.FileDescriptorProto{}
	for _, r := range references {
		of := parsed[r.Text]
		if of == nil {
			if of, err = parseFiles(r.Name, r.Text); err != nil {
				return nil, status.Errorf(status.SchemaError, "reference %q: %v", r.Name, err)
			}
			parsed[r.Text] = of
			length += len(r.Text)
		}
		known[r.Name] = append(known[r.Name], of...)
	}
	k := newLinker(l.SchemaDepth)
	if err := k.add(main); err != nil {
		return nil, err
	}
	// The files that are imported, directly or not.
	seen := map[string]bool{}
	for queue := main.GetDependency(); len(queue) > 0; queue = queue[1:] {
		path := queue[0]
		if seen[path] {
			continue
		}
		seen[path] = true
		of := known[path]
		if of == nil {
			if f, have := builtin(path); have {
				of = append(of, f)
			}
		}
		for _, f := range of {
			if err := k.add(f); err != nil {
				return nil, err
			}
			queue = append(queue, f.GetDependency()...)
		}
	}
	k.resolve()
	s := &Schema{types: k.types, top: k.files[0].messages, text: length}
	if len(s.top) == 0 {
		return nil, status.Errorf(status.SchemaError, "the schema defines no message")
	}
	s.message = s.top[0]
	return s, nil
}

// parseFiles reads a text as what it is: the text of a file, a descriptor, or a set of them, whose last file is the one that was meant.
func parseFiles(path, text string) ([]*descriptorpb.FileDescriptorProto, error) {
	file, err := parseText(path, text)
	if err == nil {
		return []*descriptorpb.FileDescriptorProto{file}, nil
	}
	if files := descriptors([]byte(text)); files != nil {
		return files, nil
	}
	if raw, wrong := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); wrong == nil {
		if files := descriptors(raw); files != nil {
			return files, nil
		}
	}
	return nil, err
}

// descriptors reads a FileDescriptorSet or a FileDescriptorProto; nil: it is none.
func descriptors(raw []byte) []*descriptorpb.FileDescriptorProto {
	set, file := &descriptorpb.FileDescriptorSet{}, &descriptorpb.FileDescriptorProto{}
	plausible := func(f *descriptorpb.FileDescriptorProto) bool {
		return f.Syntax != nil || f.Edition != nil || len(f.GetMessageType()) > 0 || len(f.GetEnumType()) > 0 || f.Package != nil
	}
	partial := proto.UnmarshalOptions{AllowPartial: true}
	if partial.Unmarshal(raw, set) == nil && len(set.GetFile()) > 0 && len(set.ProtoReflect().GetUnknown()) == 0 && plausible(set.GetFile()[len(set.GetFile())-1]) {
		return set.GetFile()
	}
	if partial.Unmarshal(raw, file) == nil && plausible(file) {
		return []*descriptorpb.FileDescriptorProto{file}
	}
	return nil
}

// parseText reads the text of a .proto file. Only its syntax counts: compilers refuse what registries hold, such as options of files that are not there, or the entries of maps as messages.
func parseText(path, text string) (*descriptorpb.FileDescriptorProto, error) {
	if path == "" {
		path = "schema"
	}
	handler := reporter.NewHandler(nil)
	node, err := parser.Parse(path, strings.NewReader(text), handler)
	if err == nil {
		var result parser.Result
		if result, err = parser.ResultFromAST(node, false, handler); err == nil {
			return result.FileDescriptorProto(), nil
		}
	}
	var at reporter.ErrorWithPos
	if errors.As(err, &at) {
		pos := at.GetPosition()
		return nil, status.Errorf(status.SchemaError, "line %d, column %d: %v", pos.Line, pos.Col, at.Unwrap())
	}
	return nil, status.Errorf(status.SchemaError, "%v", err)
}
