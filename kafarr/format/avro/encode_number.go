package avro

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/pykafarr/pykafarr/kafarr/format/frame"
)

// booleanWriter writes bits.
type booleanWriter struct{ target }

func booleanColumn(to target, t arrow.DataType) writer {
	switch {
	case frame.IsBool8(t):
		return &numberWriter{target: to, convert: conversion{load: frame.Int8, put: putTruth}}
	case frame.Storage(t).ID() == arrow.BOOL:
		return &booleanWriter{to}
	}
	return nil
}

func (w *booleanWriter) bind(b *binder, s frame.Segment) error {
	o, _, err := b.start(&w.target, &s, writeBoolean)
	if err != nil {
		return err
	}
	if o.data, err = s.Bits(w.path, 1); err != nil {
		return err
	}
	if o.data == nil && s.N > 0 {
		return frame.Broken(w.path, "the Arrow array has no buffer of values")
	}
	b.add(o, 2)
	return nil
}

// numberWriter writes numbers, dates and times.
type numberWriter struct {
	target
	convert conversion
	direct  writeCode // the op where nothing is to be converted; writeNumber: none
	always  bool      // no value can be wrong
}

// unitNanos are the nanoseconds of Arrow's units of time.
var unitNanos = map[arrow.TimeUnit]int64{arrow.Second: 1e9, arrow.Millisecond: 1e6, arrow.Microsecond: 1e3, arrow.Nanosecond: 1}

// numberColumn is nil where the numbers of a column are of another kind than the field's: a number does not become a time, nor a time a number, since its unit would be guessed.
func numberColumn(to target, t, own arrow.DataType) writer {
	c := conversion{lo: math.MinInt64, hi: math.MaxInt64}
	if to.schema.Type == Int {
		c.lo, c.hi = math.MinInt32, math.MaxInt32
	}
	w := &numberWriter{target: to}
	switch from := frame.Storage(t).(type) {
	case *arrow.Date32Type:
		if own.ID() != arrow.DATE32 {
			return nil
		}
		c.load = frame.Int32
	case *arrow.Date64Type:
		if own.ID() != arrow.DATE32 {
			return nil
		}
		c.load, c.div, c.times = frame.Int64, dayMillis, &times{unit: arrow.Millisecond, into: "D", point: true}
	case *arrow.Time32Type:
		if !c.time(own, from.Unit) {
			return nil
		}
		c.load = frame.Int32
	case *arrow.Time64Type:
		if !c.time(own, from.Unit) {
			return nil
		}
		c.load = frame.Int64
	case *arrow.TimestampType:
		into, ok := own.(*arrow.TimestampType)
		if !ok || (into.TimeZone == "") != (from.TimeZone == "") {
			return nil
		}
		c.load = frame.Int64
		c.scale(from.Unit, into.Unit)
		c.times.point = true
	default:
		load, ok := frame.Loads[from.ID()]
		if _, number := frame.Loads[own.ID()]; !ok || !number {
			return nil
		}
		c.load = load
		switch own.ID() {
		case arrow.FLOAT32:
			c.put = putSingle
		case arrow.FLOAT64:
			c.put = putDouble
		}
	}
	w.convert = c
	w.direct, w.always = c.direct()
	return w
}

func (c *conversion) time(own arrow.DataType, unit arrow.TimeUnit) bool {
	into, ok := own.(arrow.TemporalWithUnit)
	if !ok || own.ID() == arrow.TIMESTAMP {
		return false
	}
	c.scale(unit, into.TimeUnit())
	c.lo, c.hi = 0, 24*60*60*1e9/unitNanos[into.TimeUnit()]-1
	return true
}

func (c *conversion) scale(from, into arrow.TimeUnit) {
	c.times = &times{unit: from, into: into.String()}
	switch a, b := unitNanos[from], unitNanos[into]; {
	case a > b:
		c.mul = a / b
	case a < b:
		c.div = b / a
	}
}

func (w *numberWriter) bind(b *binder, s frame.Segment) error {
	o, nulls, err := b.start(&w.target, &s, w.direct)
	if err != nil {
		return err
	}
	if w.convert.put == putTruth {
		o.code = writeNumber
	}
	if o.data, err = s.Buffer(w.path, 1, w.convert.load.Bytes(), s.N); err != nil {
		return err
	}
	c := &w.convert
	if !w.always && c.put != putTruth && (s.Live != nil || nulls > 0 || !c.allFit(o.data, s.N)) {
		if err := s.Each(w.path, nulls, func(i int) error {
			if _, ok := c.value(o.data, i); !ok {
				return w.wrong(&s, i, c.text(o.data, i), "cannot be written as %s without loss: %s", w.schema.describe(), c.why(o.data, i))
			}
			return nil
		}); err != nil {
			return err
		}
	}
	if o.code == writeNumber {
		o.more = &writeMore{convert: *c}
	}
	b.add(o, 12)
	return nil
}
