package schema

import "github.com/pykafarr/pykafarr/kafarr/format"

// A schema without a name, such as a JSON Schema without a title, is compiled for each topic that it comes in: the type has the topic's name, which a frame is told by, and which a
// schema to read as may have.

// unnamed is what a schema without a name keeps.
type unnamed struct {
	cache   *Cache
	compile func(topic string) *Compiled
	topics  map[string]*Compiled
}

// perTopic compiles a schema, or has it compiled for each topic that it comes in, where it has no name. The name of a key's type is of no use. size is what it takes besides its
// plans.
func (s *Resolver) perTopic(parsed format.Schema, size int, compile func(format.Schema) *Compiled) *Compiled {
	if n, ok := parsed.(format.Nameable); !ok || n.HasName() || s.cfg.IsKey {
		return compile(parsed)
	}
	byTopic := func(topic string) *Compiled { return compile(orNamed(parsed, topic)) }
	return &Compiled{unnamed: &unnamed{cache: s.cfg.Cache, compile: byTopic, topics: map[string]*Compiled{}}, size: size}
}

// orNamed gives a schema a name, if it has none. A schema that was given for all topics is without one until a message comes.
func orNamed(parsed format.Schema, name string) format.Schema {
	if n, ok := parsed.(format.Nameable); ok && name != "" {
		return n.OrNamed(name)
	}
	return parsed
}

// of is what the messages of a topic are read with. Topics are few: their plans are dropped together.
func (p *Compiled) of(topic string) *Compiled {
	if p.unnamed == nil {
		return p
	}
	of := p.unnamed.topics[topic]
	if of == nil {
		of = p.unnamed.compile(topic)
		p.unnamed.topics[topic] = of
		p.size += of.size
		p.unnamed.cache.Add(of.size) // nothing of what is given, which is never dropped
	}
	return of
}

// drop notes that the Resolver has dropped it.
func (p *Compiled) drop() {
	p.dropped = true
	if p.unnamed != nil {
		for _, of := range p.unnamed.topics {
			of.dropped = true
		}
	}
}
