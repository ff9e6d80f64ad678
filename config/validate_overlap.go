package config

import (
	"cmp"

	"syncd/config/extent"
	"syncd/config/fault"
)

// overlapRules are those of where mappings read and write, and where the state is.
type overlapRules struct{ *validator }

func (v overlapRules) source(i int) extent.Extent {
	s, path := v.Mappings[i].Source, fault.Item("mappings", i)+".source"
	return v.sound(extent.Extent{
		Service: v.area(s.EndpointURL, s.Region), Bucket: cmp.Or(s.Holder(), s.Identity()), Prefix: s.Prefix, Path: path, Mapping: i,
	})
}

func (v overlapRules) destination(i int) extent.Extent {
	d, path := v.Mappings[i].Destination, fault.Item("mappings", i)+".destination"
	return v.sound(extent.Extent{Service: v.area(d.EndpointURL, d.Region), Bucket: d.Bucket, Prefix: d.Prefix, Path: path, Mapping: i})
}

// sound returns e, or one that overlaps nothing if it is at fault itself.
func (v overlapRules) sound(e extent.Extent) extent.Extent {
	if v.Covers(e.Path+".bucket") || v.Covers(e.Path+".prefix") || v.Covers(e.Path+".endpoint_url") {
		return extent.Extent{}
	}
	return e
}

// overlaps checks that no mapping reads what it writes, that no two write the same keys, and that nothing copies,
// overwrites or deletes the state.
func (v overlapRules) overlaps() {
	location, _ := ParseLocation(v.State)
	state := extent.Extent{Service: v.area(v.Checkpoint.EndpointURL, v.StateRegion()), Bucket: location.Bucket, Prefix: location.Prefix, Path: "state"}
	sources, destinations := make([]extent.Extent, len(v.Mappings)), make([]extent.Extent, len(v.Mappings))
	for i := range v.Mappings {
		source, destination := v.source(i), v.destination(i)
		sources[i], destinations[i] = source, destination
		v.check(!source.Overlaps(destination), destination.Path+".prefix",
			destination.String()+" overlaps the mapping's own source "+source.String(), "use another bucket, or prefixes of which none begins with the other")
		const hint = "keep state in a bucket or prefix of its own"
		v.check(!state.Overlaps(source), "state", state.String()+" overlaps "+source.Path+" "+source.String(), hint)
		// What lies at a destination, the source's owner has chosen. So the endpoint of another name is no reason to believe that it
		// is another server.
		v.check(!state.MayOverlap(destination), "state", state.String()+" overlaps "+destination.Path+" "+destination.String(), hint)
		v.check(!state.Nested(destination), "state", state.String()+" overlaps "+destination.Path+" "+destination.String()+
			": the endpoint of one names the bucket of the other", "use the same endpoint for both, without a bucket in it")
	}
	for earlier, later := range extent.Overlapping(destinations) {
		v.fault(later.Path+".prefix", later.String()+" overlaps "+earlier.Path+" "+earlier.String(), "give each mapping a prefix of its own")
	}
	if !v.Full() {
		v.circles(sources, destinations)
	}
}

// circles refuses mappings that copy what they have copied: each would overwrite the other's source, and every copy would
// look like a change, for ever.
func (v overlapRules) circles(sources, destinations []extent.Extent) {
	if i := extent.Circle(sources, destinations); i >= 0 {
		v.fault(destinations[i].Path, "what it holds is copied back to the mapping's own source", "break the circle: give one of its mappings another prefix")
	}
}
