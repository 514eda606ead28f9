package protobuf

import (
	"encoding/base64"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/pykafarr/pykafarr/kafarr/format"
)

// Unbundle implements format.Bundling: the files of a FileDescriptorSet, each as the bytes that it has there, in base64. The files that every registry has are left out.
func (Format) Unbundle(text string) []format.File {
	raw := []byte(text)
	if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil {
		raw = decoded
	}
	set := &descriptorpb.FileDescriptorSet{}
	all := descriptors(raw)
	if len(all) == 0 || (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(raw, set) != nil || len(set.GetFile()) != len(all) {
		return nil // the text of a file, or the descriptor of one, which is registered as it is
	}
	var out []format.File
	fields(raw, func(number protowire.Number, value []byte) {
		const file = 1
		if number != file {
			return
		}
		d := &descriptorpb.FileDescriptorProto{}
		if (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(value, d) != nil {
			return // which Parse refuses, too
		}
		if _, known := builtin(d.GetName()); known && d.GetName() != all[len(all)-1].GetName() {
			return
		}
		one := format.File{Path: d.GetName(), Text: base64.StdEncoding.EncodeToString(value)}
		for _, path := range d.GetDependency() {
			if _, known := builtin(path); !known {
				one.Imports = append(one.Imports, path)
			}
		}
		out = append(out, one)
	})
	return out
}
