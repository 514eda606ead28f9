package avro

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
)

// booleanWriter writes bits.
type booleanWriter struct{ target }

func booleanColumn(to target, t arrow.DataType) writer {
	switch {
	case isBool8(t):
		return &numberWriter{target: to, convert: conversion{load: loadInt8, put: putTruth}}
	case storage(t).ID() == arrow.BOOL:
		return &booleanWriter{to}
	}
	return nil
}

func (w *booleanWriter) bind(b *binder, s segment) error {
	o, _, err := b.start(&w.target, &s, writeBoolean)
	if err != nil {
		return err
	}
	if o.data, err = s.bits(w.path, 1); err != nil {
		return err
	}
	if o.data == nil && s.n > 0 {
		return broken(w.path, "the Arrow array has no buffer of values")
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

var loads = map[arrow.Type]loadKind{
	arrow.INT8: loadInt8, arrow.UINT8: loadUint8, arrow.INT16: loadInt16, arrow.UINT16: loadUint16, arrow.INT32: loadInt32, arrow.UINT32: loadUint32,
	arrow.INT64: loadInt64, arrow.UINT64: loadUint64, arrow.FLOAT16: loadFloat16, arrow.FLOAT32: loadFloat32, arrow.FLOAT64: loadFloat64,
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
	switch from := storage(t).(type) {
	case *arrow.Date32Type:
		if own.ID() != arrow.DATE32 {
			return nil
		}
		c.load = loadInt32
	case *arrow.Date64Type:
		if own.ID() != arrow.DATE32 {
			return nil
		}
		c.load, c.div, c.times = loadInt64, dayMillis, &times{unit: arrow.Millisecond, into: "D", point: true}
	case *arrow.Time32Type:
		if !c.time(own, from.Unit) {
			return nil
		}
		c.load = loadInt32
	case *arrow.Time64Type:
		if !c.time(own, from.Unit) {
			return nil
		}
		c.load = loadInt64
	case *arrow.TimestampType:
		into, ok := own.(*arrow.TimestampType)
		if !ok || (into.TimeZone == "") != (from.TimeZone == "") {
			return nil
		}
		c.load = loadInt64
		c.scale(from.Unit, into.Unit)
		c.times.point = true
	default:
		load, ok := loads[from.ID()]
		if _, number := loads[own.ID()]; !ok || !number {
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

func (w *numberWriter) bind(b *binder, s segment) error {
	o, nulls, err := b.start(&w.target, &s, w.direct)
	if err != nil {
		return err
	}
	if w.convert.put == putTruth {
		o.code = writeNumber
	}
	if o.data, err = s.buffer(w.path, 1, loadBytes[w.convert.load], s.n); err != nil {
		return err
	}
	c := &w.convert
	if !w.always && c.put != putTruth && (s.live != nil || nulls > 0 || !c.allFit(o.data, s.n)) {
		if err := s.each(w.path, nulls, func(i int) error {
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
