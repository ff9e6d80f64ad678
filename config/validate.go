package config

import (
	"time"

	"syncd/config/fault"
)

// validate checks a whole configuration, in the order of the file.
func validate(v *validator) {
	_, err := ParseLocation(v.State)
	v.refused("state", err)
	sides := &sideRules{endpointRules: endpointRules{v}}
	process := processRules{v}
	mappings := mappingRules{sides, &sourceRules{sideRules: sides}}
	process.http(v.HTTP)
	process.control(v.Control)
	sides.endpointOfS3("aws.endpoint_url", v.AWS.EndpointURL)
	checkpointRules{sides}.checkpoint(v.Checkpoint)
	v.between("drain_timeout", v.DrainTimeout, time.Second, time.Hour)
	v.check(v.Concurrency <= 16384, "concurrency", v.Concurrency.String()+" is out of bounds", "use auto or 1 to 16384")
	v.check(v.Passes <= 4096, "passes", v.Passes.String()+" is out of bounds", "use auto or 1 to 4096")
	roleRules{sides}.all()
	v.check(len(v.Mappings) > 0, "mappings", "is empty", "add at least one mapping")
	for i, m := range v.Mappings {
		mappings.mapping(m, fault.Item("mappings", i))
		if v.Full() {
			return
		}
	}
	exposedRules{v}.sides()
	mappings.names()
	if !v.Full() {
		overlapRules{v}.overlaps()
	}
}
