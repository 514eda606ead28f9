package subject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format"
	"github.com/pykafarr/pykafarr/kafarr/internal/schema"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Choice says which schema values or keys are written with.
type Choice struct {
	Topic       string
	MessageType string // full name; empty: that of the schema
	IsKey       bool
	// Content is the format; Usual: that of the schema, and Avro for one that the caller gives.
	Content  schema.Content
	Strategy Strategy
	// Definition is a schema that the caller gives. It is looked up under its subject, or registered.
	Definition registry.Definition
	// Unnamed is set where messages do not say which schema they were written with: a schema that the caller gives is used as it is.
	Unnamed bool
	// Register registers Definition where its subject does not have it.
	Register bool
	// ID is that of a schema; 0: none is given.
	ID int
	// Subject replaces the one of Strategy. Version is a version of the subject, or Latest; 0: the last one that is of the message type.
	Subject string
	Version int
}

// Latest is the Version of a Choice that takes the latest version of a subject, whatever its type.
const Latest = -1

// Chosen is a schema to write with. It is shared, and not to be changed.
type Chosen struct {
	Format  format.Writing
	Schema  format.Schema
	Text    string
	ID      int    // 0: it is of no registry
	GUID    string // empty: it is not known
	Subject string // empty: it was not found by a subject
	Version int    // of Subject; 0: not known
	// Columns are those that a listener reads such values as.
	Columns []arrow.Field
}

// MessageType is the full name of the type.
func (c *Chosen) MessageType() string { return c.Schema.TypeName() }

// maxVersions bounds how many versions of a subject are looked at for a message type.
const maxVersions = 100

// choose asks the registry, if it has to.
func (c *Chooser) choose(ctx context.Context, choice Choice) (*Chosen, error) {
	switch {
	case choice.Definition.Text != "":
		return c.given(ctx, choice)
	case c.registry == nil:
		return nil, status.Errorf(status.ConfigError, "schema is not given, and registry_url is None: give the one or the other")
	case choice.ID != 0:
		found, err := c.registry.SchemaByID(ctx, choice.ID)
		if err != nil {
			return nil, err
		}
		return c.parsed(choice, registry.Version{Schema: found})
	case choice.Version != 0:
		return c.version(ctx, choice)
	}
	return c.byType(ctx, choice)
}

// given takes the caller's own schema.
func (c *Chooser) given(ctx context.Context, choice Choice) (*Chosen, error) {
	if choice.Unnamed && len(choice.Definition.References) == 0 {
		return c.parsed(choice, registry.Version{Schema: registry.Schema{Type: choice.Definition.Type, Text: choice.Definition.Text}})
	}
	versions, err := c.versions()
	if err != nil {
		return nil, err
	}
	// Its name is needed for the subject, and what is wrong with it is said before a registry sees it.
	complete := registry.Schema{Type: choice.Definition.Type, Text: choice.Definition.Text}
	if len(choice.Definition.References) > 0 {
		if complete, err = versions.Complete(ctx, choice.Definition); err != nil {
			return nil, err
		}
	}
	own, err := c.parsed(choice, registry.Version{Schema: complete})
	if err != nil || choice.Unnamed {
		return own, err
	}
	if bundling, ok := own.Format.(format.Bundling); ok && len(choice.Definition.References) == 0 {
		if choice.Definition, err = c.unbundled(ctx, versions, bundling, choice); err != nil {
			return nil, err
		}
	}
	if (choice.Definition.Type == "" || choice.Definition.Type == "AVRO") && !json.Valid([]byte(choice.Definition.Text)) {
		choice.Definition.Text = strconv.Quote(strings.TrimSpace(choice.Definition.Text)) // a bare name, such as long, which is no schema to registries
	}
	subject := c.subject(choice, own.MessageType())
	ask := versions.Find
	if choice.Register {
		ask = versions.Register
	}
	found, err := ask(ctx, subject, choice.Definition)
	if err != nil {
		return nil, c.advise(err, choice, subject)
	}
	own.ID, own.GUID, own.Subject, own.Version = found.ID, found.GUID, subject, found.Number
	if fault := encryptionFault(found); fault != nil {
		return nil, fault
	}
	return own, nil
}

// unbundled is a schema whose files are registered under their paths, as Confluent's serializers register them: those that it imports first.
func (c *Chooser) unbundled(ctx context.Context, versions registry.Versions, f format.Bundling, choice Choice) (registry.Definition, error) {
	whole := choice.Definition
	known := map[string]registry.Reference{}
	files := f.Unbundle(whole.Text)
	for i, file := range files {
		one := registry.Definition{Type: whole.Type, Text: file.Text}
		for _, path := range file.Imports {
			reference, found := known[path]
			if !found {
				return whole, status.Errorf(status.SchemaError, "%s imports %s, which the descriptors do not have before it: protoc's --include_imports writes them all, in their order", file.Path, path)
			}
			one.References = append(one.References, reference)
		}
		if i == len(files)-1 {
			return one, nil
		}
		ask := versions.Find
		if choice.Register {
			ask = versions.Register
		}
		found, err := ask(ctx, file.Path, one)
		if err == nil && found.Number == 0 {
			found, err = versions.Find(ctx, file.Path, one)
		}
		if err != nil {
			return whole, c.advise(err, choice, file.Path)
		}
		known[file.Path] = registry.Reference{Name: file.Path, Subject: file.Path, Version: found.Number}
	}
	return whole, nil
}

// advise says what to do about a schema that its subject does not have.
func (c *Chooser) advise(err error, choice Choice, subject string) error {
	var failed *registry.Error
	if !errors.As(err, &failed) {
		return err
	}
	switch {
	case failed.Kind == registry.NotFound && !choice.Register:
		return status.Wrap(err).Hint(fmt.Sprintf("the schema is not registered under the subject %s: register=True registers it", subject))
	case failed.Kind == registry.Invalid && choice.Register:
		return status.Wrap(err).Hint("nothing was registered or sent")
	}
	return err
}

// version takes one version of a subject.
func (c *Chooser) version(ctx context.Context, choice Choice) (*Chosen, error) {
	versions, err := c.versions()
	if err != nil {
		return nil, err
	}
	if choice.Subject == "" && choice.Strategy != Topic && choice.MessageType == "" {
		return nil, errNoType()
	}
	number := max(choice.Version, 0)
	found, err := versions.VersionOf(ctx, c.subject(choice, choice.MessageType), number)
	if err != nil {
		return nil, err
	}
	return c.parsed(choice, found)
}

// byType takes the last version of the subject that is of the message type.
func (c *Chooser) byType(ctx context.Context, choice Choice) (*Chosen, error) {
	versions, err := c.versions()
	if err != nil {
		return nil, err
	}
	if choice.MessageType == "" && choice.Strategy != Topic && choice.Subject == "" {
		return nil, errNoType()
	}
	subject := c.subject(choice, choice.MessageType)
	latest, err := versions.VersionOf(ctx, subject, 0)
	if err != nil {
		var failed *registry.Error
		if errors.As(err, &failed) && failed.Kind == registry.NotFound {
			return nil, status.Wrap(err).Hint("give the schema, and register=True to register it, or name the subject by subject=")
		}
		return nil, err
	}
	any := choice
	any.MessageType = ""
	chosen, err := c.parsed(any, latest)
	if err != nil {
		return nil, err
	}
	if chosen, err = c.named(chosen, choice, latest); err != nil || choice.MessageType == "" || chosen.MessageType() == choice.MessageType {
		return chosen, err
	}
	others := []string{chosen.MessageType()}
	numbers, err := versions.VersionNumbers(ctx, subject)
	if err != nil {
		return nil, err
	}
	for _, number := range slices.Backward(numbers[max(len(numbers)-maxVersions, 0):]) {
		if number == latest.Number {
			continue
		}
		found, err := versions.VersionOf(ctx, subject, number)
		if err != nil {
			return nil, err
		}
		if chosen, err = c.parsed(any, found); err != nil {
			continue // a version that nobody could use is none of this type
		}
		if chosen, err = c.named(chosen, choice, found); err != nil {
			return nil, err
		}
		if chosen.MessageType() == choice.MessageType {
			return chosen, nil
		}
		if !slices.Contains(others, chosen.MessageType()) {
			others = append(others, chosen.MessageType())
		}
	}
	return nil, status.Errorf(status.SchemaNotFoundError, "subject %s has no version of the message type %s, but of %s: give the schema, or the subject that has it", subject, choice.MessageType, strings.Join(others, ", "))
}

// named takes the message type out of a file that defines it among others.
func (c *Chooser) named(chosen *Chosen, choice Choice, found registry.Version) (*Chosen, error) {
	file, ok := chosen.Schema.(format.Indexed)
	if !ok || choice.MessageType == "" {
		return chosen, nil
	}
	if _, err := file.Named(choice.MessageType); err == nil {
		return c.parsed(choice, found)
	}
	return chosen, nil // whose type is another one
}

func errNoType() error {
	return status.Errorf(status.ConfigError, "message_type is None: subjects that are named by the record need it")
}

// subject is the name of the subject that is asked.
func (c *Chooser) subject(choice Choice, messageType string) string {
	if choice.Subject != "" {
		return choice.Subject
	}
	return choice.Strategy.Of(choice.Topic, messageType, choice.IsKey)
}

// versions is the registry as one that has subjects.
func (c *Chooser) versions() (registry.Versions, error) {
	if c.registry == nil {
		return nil, status.Errorf(status.ConfigError, "registry_url is None: messages that say which schema they were written with need a registry, others are for framing=\"bare\"")
	}
	versions, ok := c.registry.(registry.Versions)
	if !ok {
		return nil, status.Errorf(status.ConfigError, "%v has no subjects", c.registry)
	}
	return versions, nil
}

// parsed makes a schema of what was found, and compares its type.
func (c *Chooser) parsed(choice Choice, found registry.Version) (*Chosen, error) {
	f, parsed, err := choice.Content.Parse(found.Schema, choice.IsKey, c.limits)
	if err != nil {
		return nil, place(err, found)
	}
	writing, ok := f.(format.Writing)
	if !ok {
		return nil, place(status.Errorf(status.SchemaError, "%s schemas can be read, and not be written yet", f.SchemaType()), found)
	}
	if fault := encryptionFault(found); fault != nil {
		return nil, fault
	}
	if file, ok := parsed.(format.Indexed); ok && choice.MessageType != "" {
		if parsed, err = file.Named(choice.MessageType); err != nil {
			return nil, place(status.Errorf(status.ConfigError, "message_type is %s: %v", choice.MessageType, err), found)
		}
	}
	if nameable, ok := parsed.(format.Nameable); ok && !choice.IsKey && choice.MessageType != "" {
		parsed = nameable.OrNamed(choice.MessageType)
	}
	if choice.MessageType != "" && !choice.IsKey && parsed.TypeName() != choice.MessageType {
		return nil, place(status.Errorf(status.ConfigError, "message_type is %s, and the schema is of the type %s", choice.MessageType, parsed.TypeName()), found)
	}
	columns, err := schema.Columns(f, parsed, c.limits)
	if err != nil {
		return nil, place(err, found)
	}
	return &Chosen{Format: writing, Schema: parsed, Text: found.Text, ID: found.ID, GUID: found.GUID, Subject: found.Subject, Version: found.Number, Columns: columns}, nil
}

// place adds which schema an error is about.
func place(err error, found registry.Version) error {
	e := *status.Wrap(err)
	if e.SchemaID < 0 && found.ID > 0 {
		e.SchemaID = int64(found.ID)
	}
	if found.Subject != "" {
		e.Err = fmt.Errorf("subject %s, version %d: %w", found.Subject, found.Number, e.Err)
	}
	return &e
}

// encryptionFault refuses to write values as they are that a rule of a data contract encrypts.
func encryptionFault(found registry.Version) error {
	rules := found.Contract.Encryption()
	if len(rules) == 0 {
		return nil
	}
	return place(status.Errorf(status.ConfigError, "the rule %s of its data contract encrypts values, which this producer does not do: nothing is written as plain text instead", rules[0].Name), found)
}
