package registry

import (
	"strings"
	"testing"
)

func TestSchemasThatWereNotAskedForForLongestAreForgottenFirst(t *testing.T) {
	k := newKnown(0)
	large := strings.Repeat("x", knownBytes/10)
	for id := range 100 {
		k.put(name{id: id}, Schema{ID: id, Text: large[:len(large)-id]})
		if _, ok := k.get(name{id: 0}); !ok {
			t.Fatalf("after %d schemas the one that is always asked for is forgotten", id+1)
		}
	}
	if k.bytes > knownBytes || len(k.items) != 9 || k.order.Len() != 9 {
		t.Errorf("%d bytes of %d schemas are kept", k.bytes, len(k.items))
	}
	if s, ok := k.get(name{id: 99}); !ok || s.ID != 99 {
		t.Error("the newest schema is forgotten")
	}
	if _, ok := k.get(name{id: 50}); ok {
		t.Error("an old schema is kept")
	}
}

func TestCacheCapacityBoundsTheNumberOfSchemas(t *testing.T) {
	k := newKnown(3)
	for id := range 10 {
		k.put(name{id: id}, Schema{ID: id})
	}
	if len(k.items) != 3 {
		t.Errorf("%d schemas are kept", len(k.items))
	}
}

func TestASchemaLargerThanTheBoundIsRememberedAlone(t *testing.T) {
	k := newKnown(0)
	k.put(name{id: 1}, Schema{})
	k.put(name{id: 2}, Schema{Text: strings.Repeat("x", knownBytes+1)})
	if _, ok := k.get(name{id: 2}); !ok || len(k.items) != 1 {
		t.Errorf("%d schemas are kept", len(k.items))
	}
}
