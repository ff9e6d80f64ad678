package store

import (
	"cmp"
	"strings"
)

// List walks the keys in byte order. When it finds a key with a common prefix, it adds the common
// prefix to the page as one element and skips all keys that begin with this prefix.
func (b *Bucket) List(l *Walk) *Page {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p := &Page{}
	if l.Max == 0 {
		return p
	}
	at, more := l.start()
	for more {
		more = false
		for e := range b.index.from(at) {
			if !strings.HasPrefix(e.key, l.Prefix) {
				break
			}
			o := e.current()
			if o == nil {
				continue
			}
			if p.Count() == l.Max {
				p.Truncated = true
				break
			}
			if common := l.common(e.key); common != "" {
				p.Prefixes, p.Last = append(p.Prefixes, common), common
				at, more = after(common)
				break
			}
			p.Objects, p.Last = append(p.Objects, o), o.Key
		}
	}
	return p
}

// ListVersions walks all versions, by key and then newest first. With a version marker, the page
// starts within the marker's key.
func (b *Bucket) ListVersions(l *Walk, versionMarker string) *versionPage {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p := &versionPage{}
	if l.Max == 0 {
		return p
	}
	at, more := l.start()
	if versionMarker != "" {
		at = cmp.Or(l.After, at)
	}
	for more {
		more = false
		for e := range b.index.from(at) {
			if !strings.HasPrefix(e.key, l.Prefix) {
				break
			}
			if p.count() == l.Max {
				p.Truncated = true
				break
			}
			if common := l.common(e.key); common != "" {
				p.Prefixes, p.NextKey, p.NextVersion = append(p.Prefixes, common), common, ""
				at, more = after(common)
				break
			}
			if !p.add(e, l, versionMarker) {
				break
			}
		}
	}
	return p
}
