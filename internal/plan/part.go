package plan

// Part is the range of source keys that a plan covers. Several parts of a source can be planned at
// once: their plans, one after the other, are the plan of the whole source. The zero Part covers
// all keys.
type Part struct {
	// After is the key after which the part begins; "" means that it begins at the first key. The
	// inputs of a plan begin after this key.
	After string
	// Until returns the last key of the part, or "" if the part has no end. It is called only after
	// the source's listing has ended, because the end can decrease until then. From then on it must
	// always return the same key. A nil Until means that the part has no end.
	Until func() string
}

// last returns the last key of the part, or "" if the part has no end. Call it only after the
// source's listing has ended.
func (p Part) last() string {
	if p.Until == nil {
		return ""
	}
	return p.Until()
}

// limit returns the least key above the part, or "" if the part has no end. Call it only after the
// source's listing has ended.
func (p Part) limit() string {
	last := p.last()
	if last == "" {
		return ""
	}
	return last + "\x00" // no key sorts between the two
}
