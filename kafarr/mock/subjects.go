package mock

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"sync"
)

// schema is what a client registers.
type schema struct {
	Text       string      `json:"schema"`
	Type       string      `json:"schemaType,omitempty"`
	References []reference `json:"references,omitempty"`
	// Metadata and RuleSet are a data contract, which is kept as it stands.
	Metadata json.RawMessage `json:"metadata,omitempty"`
	RuleSet  json.RawMessage `json:"ruleSet,omitempty"`
}

type reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// key is equal for schemas that are the same but for white space, with the same data contract.
func (s schema) key() string {
	references, _ := json.Marshal(append([]reference(nil), s.References...)) // an empty list is none
	key := fmt.Sprintf("%s %s %s", s.Type, references, compact([]byte(s.Text)))
	if metadata, rules := compact(s.Metadata), compact(s.RuleSet); len(metadata)+len(rules) > 0 {
		key += fmt.Sprintf(" %s %s", metadata, rules)
	}
	return key
}

// compact is a JSON text without white space. What is none, such as Protobuf, stays as it is, and null is nothing.
func compact(text []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return text
	}
	if b.String() == "null" {
		return nil
	}
	return b.Bytes()
}

// guid is the schema's name in every registry that holds the same text and references: a UUID of version 8 of their hash.
func (s schema) guid() string {
	sum := sha256.Sum256([]byte(s.key()))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// version is a schema's place in a subject.
type version struct {
	number  int
	id      int
	deleted bool // softly: it is found only by those who ask for deleted ones
}

// subjects is what the registry knows. Nothing of it is ever written to disk.
type subjects struct {
	mu       sync.Mutex
	ids      map[string]int // by schema.key
	schemas  []schema       // id is index + 1
	versions map[string][]version
	config   map[string]string // compatibility levels by subject, "" for the default; kept, never applied
}

func newSubjects() *subjects {
	return &subjects{
		ids:      map[string]int{},
		versions: map[string][]version{},
		config:   map[string]string{"": "NONE"},
	}
}

// register gives the schema's id, the same for the same schema under whatever subject. refused says why a schema
// cannot be taken.
func (s *subjects) register(subject string, registered schema) (id int, refused error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range registered.References {
		if _, ok := s.find(r.Subject, r.Version, true); !ok {
			return 0, fmt.Errorf("no schema reference found for subject %q and version %d", r.Subject, r.Version)
		}
	}
	key := registered.key()
	id, known := s.ids[key]
	if !known {
		s.schemas = append(s.schemas, registered)
		id = len(s.schemas)
		s.ids[key] = id
	}
	list := s.versions[subject]
	for i := range list {
		if list[i].id == id && !list[i].deleted {
			return id, nil
		}
	}
	number := 1
	if len(list) > 0 {
		number = list[len(list)-1].number + 1
	}
	s.versions[subject] = append(list, version{number: number, id: id})
	return id, nil
}

func (s *subjects) byID(id int) (schema, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > len(s.schemas) {
		return schema{}, false
	}
	return s.schemas[id-1], true
}

func (s *subjects) byGUID(guid string) (schema, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.schemas, func(known schema) bool { return known.guid() == guid })
	if i < 0 {
		return schema{}, false
	}
	return s.schemas[i], true
}

// usersOf gives the subjects and versions that hold an id.
func (s *subjects) usersOf(id int) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	users := []map[string]any{}
	for subject, list := range s.versions {
		for _, v := range list {
			if v.id == id && !v.deleted {
				users = append(users, map[string]any{"subject": subject, "version": v.number})
			}
		}
	}
	sort.Slice(users, func(i, j int) bool { return users[i]["subject"].(string) < users[j]["subject"].(string) })
	return users
}

func (s *subjects) names(deleted bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{}
	for subject, list := range s.versions {
		if slices.ContainsFunc(list, func(v version) bool { return deleted || !v.deleted }) {
			names = append(names, subject)
		}
	}
	sort.Strings(names)
	return names
}

// list gives a subject's versions, the oldest first.
func (s *subjects) list(subject string, deleted bool) []version {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []version
	for _, v := range s.versions[subject] {
		if deleted || !v.deleted {
			list = append(list, v)
		}
	}
	return list
}

// find is called with mu held. number -1 is the latest.
func (s *subjects) find(subject string, number int, deleted bool) (version, bool) {
	for _, v := range slices.Backward(s.versions[subject]) {
		if (v.number == number || number < 0) && (deleted || !v.deleted) {
			return v, true
		}
	}
	return version{}, false
}

// lookup finds a schema's version in a subject.
func (s *subjects) lookup(subject string, wanted schema, deleted bool) (version, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.ids[wanted.key()]
	if !ok {
		return version{}, false
	}
	for _, v := range s.versions[subject] {
		if v.id == id && (deleted || !v.deleted) {
			return v, true
		}
	}
	return version{}, false
}

// remove deletes versions of a subject, all of them for number 0, and gives their numbers. Ids stay valid, as in
// the real registry unless a deletion is permanent there.
func (s *subjects) remove(subject string, number int, permanent bool) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var removed []int
	kept := s.versions[subject][:0]
	for _, v := range s.versions[subject] {
		if (number == 0 || v.number == number) && v.deleted == permanent {
			removed = append(removed, v.number)
			if permanent {
				continue
			}
			v.deleted = true
		}
		kept = append(kept, v)
	}
	if s.versions[subject] = kept; len(kept) == 0 {
		delete(s.versions, subject)
	}
	return removed
}

func (s *subjects) level(subject string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	level, ok := s.config[subject]
	return level, ok
}

func (s *subjects) setLevel(subject, level string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config[subject] = level
}
