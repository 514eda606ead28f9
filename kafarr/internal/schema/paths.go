package schema

import (
	"fmt"

	"github.com/pykafarr/pykafarr/kafarr/wire"
)

// A Ref with a path names one of the message types of a schema: the path is a number above the bits that name the schema.
const (
	pathShift = 33
	// FirstType is the path to the first message type of a file, by far the most frequent one.
	FirstType Ref = 1 << pathShift
)

// schema is the Ref without its path.
func (r Ref) schema() Ref { return r & (FirstType - 1) }

// path is the path of a Ref alone; 0: it has none.
func (r Ref) path() Ref { return r &^ (FirstType - 1) }

// paths numbers the paths that message indexes give, and the faults of indexes that cannot be read: whether these are a fault is known once it is known that the schema is one of
// Protobuf, and not before.
type paths struct {
	known   map[string]Ref
	places  map[Ref]place
	next    Ref
	scratch []int

	last    [16]byte // what was read before
	lastLen int
	lastRef Ref
}

// place is what a path leads to.
type place struct {
	key     string
	indexes []int
	fault   error // instead: the indexes cannot be read
}

func newPaths() *paths {
	return &paths{known: map[string]Ref{}, places: map[Ref]place{FirstType: {indexes: []int{0}}}, next: 2 * FirstType}
}

// read reads the message indexes at the beginning of data, of which they take so many bytes.
func (p *paths) read(data []byte) (path Ref, length int) {
	if n := p.lastLen; n > 0 && len(data) >= n && string(data[:n]) == string(p.last[:n]) {
		return p.lastRef, n
	}
	indexes, n, err := wire.MessageIndexes(p.scratch[:0], data)
	if err != nil {
		return p.number(place{key: err.Error(), fault: err}), 0
	}
	p.scratch = indexes
	if len(indexes) == 1 && indexes[0] == 0 {
		path = FirstType
	} else {
		path = p.number(place{key: fmt.Sprint(indexes), indexes: indexes})
	}
	if n <= len(p.last) {
		p.lastLen, p.lastRef = copy(p.last[:], data[:n]), path
	}
	return path, n
}

// number gives a place its number.
func (p *paths) number(at place) Ref {
	path, ok := p.known[at.key]
	if !ok {
		at.indexes = append([]int(nil), at.indexes...)
		path = p.next
		p.next += FirstType
		p.known[at.key], p.places[path] = path, at
	}
	return path
}

// forget drops the paths that none of these needs, where they are many: a producer can write any number of them.
func (p *paths) forget(needed map[Ref]bool) {
	for key, path := range p.known {
		if !needed[path] {
			delete(p.known, key)
			delete(p.places, path)
		}
	}
	p.lastLen = 0
}
