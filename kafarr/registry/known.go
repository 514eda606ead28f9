package registry

import (
	"container/list"
	"encoding/json"
)

// knownBytes bounds the memory of the schemas that are remembered, with their references: how many are asked for is chosen by those who register schemas and produce messages.
const knownBytes = 64 << 20

// known are the schemas that were last asked for. An id is never given twice, so that none of them grows old.
type known struct {
	most     int // bytes
	capacity int // schemas; 0: any number
	bytes    int
	items    map[name]*list.Element // of *knownSchema
	order    *list.List             // the one asked for last first
}

type knownSchema struct {
	name   name
	schema Schema
	bytes  int
}

func newKnown(capacity int) *known {
	return &known{most: knownBytes, capacity: capacity, items: map[name]*list.Element{}, order: list.New()}
}

func (k *known) get(n name) (Schema, bool) {
	e := k.items[n]
	if e == nil {
		return Schema{}, false
	}
	k.order.MoveToFront(e)
	return e.Value.(*knownSchema).schema, true
}

// put remembers a schema that is not known. It is the last to be forgotten, however large.
func (k *known) put(n name, s Schema) {
	item := &knownSchema{name: n, schema: s, bytes: size(&s)}
	k.items[n] = k.order.PushFront(item)
	k.bytes += item.bytes
	for k.order.Len() > 1 && (k.bytes > k.most || k.capacity > 0 && k.order.Len() > k.capacity) {
		oldest := k.order.Remove(k.order.Back()).(*knownSchema)
		delete(k.items, oldest.name)
		k.bytes -= oldest.bytes
	}
}

// size is what a schema takes, and its entry.
func size(s *Schema) int {
	const entry = 400
	n := entry + len(s.Type) + len(s.Text)
	for _, r := range s.References {
		n += 48 + len(r.Name) + len(r.Text) + len(r.Source)
	}
	if s.Contract != nil {
		if text, err := json.Marshal(s.Contract); err == nil {
			n += 2 * len(text) // its parts are small, each with a header of its own
		}
	}
	return n
}
