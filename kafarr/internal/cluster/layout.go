package cluster

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A layout says what an answer is made of. The client's own decoder allocates what an array claims before it looks at one element, 160 bytes for each byte of an answer, and runs through as many tags as
// a number of 32 bits claims, without any of them being there. So an answer is walked through before that decoder sees it: the walk takes no memory, and ends where the bytes end.
type layout struct {
	flexible int16 // the first version with compact lengths and tags
	fields   []field
	plain    bool               // no struct, so that it has no tags
	tagged   map[uint32]*layout // of the tags that the decoder knows
	most     int32              // elements of its arrays; 0: as many as there are bytes
}

// field is one of a layout, in the versions [since, before).
type field struct {
	since, before int16 // before 0: all later ones
	kind          kind
	size          int     // of fixed
	of            *layout // the elements of an array
}

type kind int8

const (
	fixed kind = iota
	chars
	octets
	array
)

func number4(since int16) field { return field{since: since, kind: fixed, size: 4} }

func structs(l *layout) field { return field{kind: array, of: l} }

func numbers4(since int16) field {
	return field{since: since, kind: array, of: &layout{plain: true, fields: []field{{size: 4}}}}
}

// layouts are those of the answers that are asked for. The first request's has neither tags nor nested arrays, and is small.
var layouts = map[int16]*layout{
	kmsg.Metadata.Int16(): {flexible: 9, fields: []field{
		number4(3),
		structs(&layout{fields: []field{number4(0), {kind: chars}, number4(0), {since: 1, kind: chars}}}),
		{since: 2, kind: chars}, number4(1),
		structs(&layout{fields: []field{
			{size: 2}, {kind: chars}, {since: 10, size: 16}, {since: 1, size: 1},
			structs(&layout{fields: []field{{size: 2}, number4(0), number4(0), number4(7), numbers4(0), numbers4(0), numbers4(5)}}),
			number4(8),
		}}),
		{since: 8, before: 11, size: 4}, {since: 13, size: 2},
	}},
	kmsg.ListOffsets.Int16(): {flexible: 6, fields: []field{
		number4(2),
		structs(&layout{fields: []field{
			{kind: chars},
			structs(&layout{fields: []field{number4(0), {size: 2}, {before: 1, kind: array, of: &layout{plain: true, fields: []field{{size: 8}}}}, {since: 1, size: 8}, {since: 1, size: 8}, number4(4)}}),
		}}),
	}},
	kmsg.OffsetForLeaderEpoch.Int16(): {flexible: 4, fields: []field{
		number4(2),
		structs(&layout{fields: []field{{kind: chars}, structs(&layout{fields: []field{{size: 2}, number4(0), number4(1), {size: 8}}})}}),
	}},
	kmsg.Produce.Int16(): {
		flexible: 9,
		fields: []field{
			structs(&layout{fields: []field{
				{before: 13, kind: chars}, {since: 13, size: 16},
				structs(&layout{
					fields: []field{
						number4(0), {size: 2}, {size: 8}, {since: 2, size: 8}, {since: 5, size: 8},
						{since: 8, kind: array, of: &layout{fields: []field{number4(0), {kind: chars}}}},
						{since: 8, kind: chars},
					},
					tagged: map[uint32]*layout{0: {fields: []field{{size: 8}}}},
				}),
			}}),
			number4(1),
		},
		tagged: map[uint32]*layout{0: {plain: true, fields: []field{structs(&layout{fields: []field{number4(0), {kind: chars}, number4(0), {kind: chars}}})}}},
	},
	kmsg.SASLAuthenticate.Int16(): {flexible: 2, fields: []field{{size: 2}, {kind: chars}, {kind: octets}, {since: 1, size: 8}}},
	kmsg.Fetch.Int16(): {
		flexible: 12, most: 1, // a scan asks for one partition
		fields: []field{
			number4(1), {since: 7, size: 2}, number4(7),
			structs(&layout{most: 1, fields: []field{
				{before: 13, kind: chars}, {since: 13, size: 16},
				structs(&layout{
					fields: []field{
						number4(0), {size: 2}, {size: 8}, {since: 4, size: 8}, {since: 5, size: 8},
						{since: 4, kind: array, of: &layout{fields: []field{{size: 16}}}},
						number4(11), {kind: octets},
					},
					tagged: map[uint32]*layout{0: {fields: []field{{size: 12}}}, 1: {fields: []field{{size: 8}}}, 2: {fields: []field{{size: 12}}}},
				}),
			}}),
		},
		tagged: map[uint32]*layout{0: {plain: true, fields: []field{structs(&layout{fields: []field{number4(0), {kind: chars}, number4(0), {kind: chars}}})}}},
	},
}

// mostTags is how many tags a part of an answer may have. Kafka's have three.
const mostTags = 32

var (
	errShort = errors.New("it breaks off, or claims more than it holds")
	errTags  = fmt.Errorf("a part of it has more than %d tags", mostTags)
)

// Walk passes the body of an answer to a request of this key, of those that have a layout here.
func Walk(key int16, body []byte, version int16) error { return layouts[key].walk(body, version) }

// walk passes an answer's body.
func (l *layout) walk(body []byte, version int16) error {
	b := kbin.Reader{Src: body}
	return l.pass(&b, version, version >= l.flexible)
}

func (l *layout) pass(b *kbin.Reader, version int16, flexible bool) error {
	for i := range l.fields {
		f := &l.fields[i]
		if version < f.since || f.before > 0 && version >= f.before {
			continue
		}
		if err := f.pass(b, version, flexible, l.most); err != nil {
			return err
		}
	}
	if flexible && !l.plain {
		return l.tags(b, version)
	}
	return nil
}

func (f *field) pass(b *kbin.Reader, version int16, flexible bool, most int32) error {
	switch {
	case f.kind == fixed:
		b.Span(f.size)
	case f.kind == array:
		return f.elements(b, version, flexible, most)
	case flexible:
		b.Span(max(int(b.Uvarint())-1, 0))
	case f.kind == chars:
		b.Span(max(int(b.Int16()), 0))
	default:
		b.Span(max(int(b.Int32()), 0))
	}
	if !b.Ok() {
		return errShort
	}
	return nil
}

func (f *field) elements(b *kbin.Reader, version int16, flexible bool, most int32) error {
	var n int32
	if flexible {
		n = int32(b.Uvarint()) - 1 //nolint:gosec // as the decoder does
	} else {
		n = b.Int32()
	}
	switch {
	case !b.Ok() || int64(n) > int64(len(b.Src)):
		return errShort
	case most > 0 && n > most:
		return fmt.Errorf("it has %d entries, where %d was asked for", n, most)
	}
	for range max(n, 0) {
		if err := f.of.pass(b, version, flexible); err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) tags(b *kbin.Reader, version int16) error {
	n := b.Uvarint()
	if n > mostTags {
		return errTags
	}
	for range n {
		key, size := b.Uvarint(), b.Uvarint()
		content := b.Span(int(size))
		if !b.Ok() {
			return errShort
		}
		if known := l.tagged[key]; known != nil {
			within := kbin.Reader{Src: content}
			if err := known.pass(&within, version, true); err != nil {
				return err
			}
		}
	}
	if !b.Ok() {
		return errShort
	}
	return nil
}
