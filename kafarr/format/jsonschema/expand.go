package jsonschema

import "slices"

// expand takes the choices of a flat schema apart: a value has one of the forms that are returned. Each choice whose branches say nothing about types is passed over, such as
// one between sets of required members.
func (c *compiler) expand(f *flat, path string, forms []*form) ([]*form, error) {
	if f.never {
		return forms, nil
	}
	if c.depth++; c.depth > c.limits.SchemaDepth {
		return nil, c.tooDeep(path)
	}
	defer func() { c.depth-- }()
	common, err := c.form(f.own, path)
	if err != nil {
		return nil, err
	}
	common.name, common.nullable = f.branchName(), f.nullable
	maybe := f.maybe
	for i, of := range f.choices {
		branches, err := c.branches(of, path)
		if err != nil || len(branches) == 0 { // none of them can hold
			return forms, err
		}
		bare, objects, null, err := c.judge(common, branches, path)
		switch {
		case err != nil:
			return nil, err
		case bare:
			continue
		case objects:
			maybe = append(maybe[:len(maybe):len(maybe)], of...)
			common.nullable = common.nullable || null
			continue
		}
		for _, b := range branches {
			if err := c.step(len(f.own)*len(b.own)/16, path); err != nil {
				return nil, err
			}
			each := &flat{
				own: with(f.own, b.own), maybe: with(maybe, b.maybe), choices: append(append([]choice(nil), b.choices...), f.choices[i+1:]...),
				title: b.title, name: b.name, nullable: b.nullable || f.nullable,
			}
			if each.title == "" && each.name == "" {
				each.title, each.name = f.title, f.name
			}
			if forms, err = c.expand(each, path, forms); err != nil {
				return nil, err
			}
		}
		return forms, nil
	}
	common.maybe = maybe
	if len(common.members) > 0 {
		if err := c.mayHave(common, maybe, path); err != nil {
			return nil, err
		}
	}
	if common.types == 0 && !common.nullable { // a contradiction
		return forms, nil
	}
	return append(forms, common), nil
}

// branchName is what a branch of a union is called.
func (f *flat) branchName() string {
	if f.title != "" {
		return f.title
	}
	return f.name
}

// branches are the branches of a choice that may hold.
func (c *compiler) branches(of choice, path string) ([]*flat, error) {
	var out []*flat
	for _, s := range of {
		f, err := c.flatten([]*value{s}, path)
		if err != nil {
			return nil, err
		}
		if !f.never {
			out = append(out, f)
		}
	}
	return out, nil
}

// judge says what a choice is about. bare: not about types. objects: about the members that objects may have besides those that they have in common. null: or about null.
func (c *compiler) judge(common *form, branches []*flat, path string) (bare, objects, null bool, err error) {
	bare, objects = true, len(common.members) > 0
	for _, b := range branches {
		var forms []*form
		if forms, err = c.expand(b, path, nil); err != nil {
			return false, false, false, err
		}
		for _, f := range forms {
			bare = bare && f.isBare()
			switch {
			case f.types == isNull:
				null = null || common.types&isNull != 0
			case f.limited || f.types&isObject == 0 || !f.isBare() && f.types != isObject || len(f.others) > 0 || f.connect != nil:
				objects = false
			}
		}
	}
	return bare, objects, null, nil
}

// with are the schemas of both, each once.
func with(schemas, more []*value) []*value {
	out := schemas[:len(schemas):len(schemas)]
	for _, s := range more {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
