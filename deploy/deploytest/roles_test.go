package deploytest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
	networking "k8s.io/api/networking/v1"

	"syncd/internal/access"
	"syncd/internal/access/lint"
	"syncd/internal/access/lint/document"
	"syncd/internal/iam"
)

func roleFiles() []string {
	return []string{"ecs/task-trust.json", "ecs/scheduler-trust.json", "ecs/scheduler-permissions.json"}
}

// TestRolesOfECSAreConfined checks that a service can use a role only for its own account and
// resource, and that roles can be passed only to tasks.
func TestRolesOfECSAreConfined(t *testing.T) {
	const tasks = "[ if iam:PassedToService StringEquals [ecs-tasks.amazonaws.com]]"
	for file, want := range map[string][]string{
		"ecs/task-trust.json": {
			"Allow map[Service:ecs-tasks.amazonaws.com] sts:AssumeRole <nil>[ if aws:SourceAccount StringEquals [222222222222]" +
				"  if aws:SourceArn ArnLike [arn:aws:ecs:us-west-2:222222222222:*]]",
		},
		"ecs/scheduler-trust.json": {
			"Allow map[Service:scheduler.amazonaws.com] sts:AssumeRole <nil>[ if aws:SourceAccount StringEquals [222222222222]" +
				"  if aws:SourceArn ArnEquals [arn:aws:scheduler:us-west-2:222222222222:schedule-group/default]]",
		},
		"ecs/scheduler-permissions.json": {
			"Allow <nil> ecs:RunTask arn:aws:ecs:us-west-2:222222222222:task-definition/syncd-scheduled" + "[ if ecs:cluster ArnEquals [arn:aws:ecs:us-west-2:222222222222:cluster/data]]",
			"Allow <nil> ecs:RunTask arn:aws:ecs:us-west-2:222222222222:task-definition/syncd-scheduled:*" + "[ if ecs:cluster ArnEquals [arn:aws:ecs:us-west-2:222222222222:cluster/data]]",
			"Allow <nil> iam:PassRole arn:aws:iam::222222222222:role/syncd-execution" + tasks,
			"Allow <nil> iam:PassRole arn:aws:iam::222222222222:role/syncd-workload" + tasks,
		},
	} {
		text := filledIn(t, file)
		slices.Sort(want)
		if diff := cmp.Diff(want, grants(t, text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		kind := access.KindTrust
		if strings.HasSuffix(file, "-permissions.json") {
			kind = access.KindIdentity
		}
		report, err := lint.Check([]document.File{{Name: file, Data: []byte(text), Kind: kind}}, lint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			t.Errorf("%s: got %+v, want nothing", file, f)
		}
	}
}

// egress returns the egress that network policies allow, one line for each peer and port.
func egress(policies []*networking.NetworkPolicy) (lines []string) {
	for _, np := range policies {
		for _, rule := range np.Spec.Egress {
			if len(rule.To) == 0 || len(rule.Ports) == 0 {
				lines = append(lines, "anything")
			}
			for _, peer := range rule.To {
				to := ""
				if b := peer.IPBlock; b != nil {
					to = fmt.Sprint(b.CIDR, " but ", b.Except)
				} else {
					to = fmt.Sprint(peer.NamespaceSelector.MatchLabels, " ", peer.PodSelector.MatchLabels, " ", peer.PodSelector.MatchExpressions)
				}
				for _, port := range rule.Ports {
					lines = append(lines, fmt.Sprint(to, " ", port.Port.String(), " ", *port.Protocol))
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// TestNetworkPolicyEgress checks that egress is limited to HTTPS, the cluster's DNS, and the
// configured source of credentials.
func TestNetworkPolicyEgress(t *testing.T) {
	const dns = "map[kubernetes.io/metadata.name:kube-system] map[] [{k8s-app In [kube-dns]}] "
	base := []string{
		"0.0.0.0/0 but [169.254.0.0/16] 443 TCP", "::/0 but [fe80::/10 fd00:ec2::/32] 443 TCP",
		dns + "53 TCP", dns + "53 UDP", "169.254.20.10/32 but [] 53 TCP", "169.254.20.10/32 but [] 53 UDP",
	}
	podIdentity := []string{"169.254.170.23/32 but [] 80 TCP", "fd00:ec2::23/128 but [] 80 TCP"}
	instance := []string{"169.254.169.254/32 but [] 80 TCP", "fd00:ec2::254/128 but [] 80 TCP"}
	for name, tt := range map[string]struct {
		o    objects
		want []string
	}{
		"kustomize, IRSA":             {kustomizeWith(t, "irsa"), base},
		"kustomize, Pod Identity":     {kustomizeWith(t, "pod-identity"), slices.Concat(base, podIdentity)},
		"kustomize, instance profile": {kustomizeWith(t, "instance-profile"), slices.Concat(base, instance)},
		"chart":                       {chart(t, "{}"), base},
		"chart, Pod Identity":         {chart(t, "networkPolicy: {podIdentity: true}"), slices.Concat(base, podIdentity)},
		"chart, instance profile":     {chart(t, "networkPolicy: {instanceProfile: true}"), slices.Concat(base, instance)},
	} {
		slices.Sort(tt.want)
		if diff := cmp.Diff(tt.want, egress(networkPolicies(tt.o))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestNetworkPolicyIngress checks that a pod that does not listen allows no ingress.
func TestNetworkPolicyIngress(t *testing.T) {
	for mode, want := range map[string]int{"deployment": 1, "cronjob": 0, "job": 0} {
		for _, np := range networkPolicies(chart(t, "mode: "+mode)) {
			if got := len(np.Spec.Ingress); got != want || !slices.Contains(np.Spec.PolicyTypes, networking.PolicyTypeIngress) {
				t.Errorf("%s: got %d ingress rules, want %d", mode, got, want)
			}
		}
	}
}

// TestChartPinsImagesByDigest checks that a digest takes precedence over the tag.
func TestChartPinsImagesByDigest(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	o := chart(t, "image: {tag: 0.1.0, digest: '"+digest+"'}")
	for name, template := range o.templates() {
		if got, want := template.Spec.Containers[0].Image, "registry.example.com/syncd@"+digest; got != want {
			t.Errorf("%s: got image %s, want %s", name, got, want)
		}
	}
}

// TestChartNotesWarnOfMissingCredentials checks that the notes warn if the pods have no source of
// credentials.
func TestChartNotesWarnOfMissingCredentials(t *testing.T) {
	for name, tt := range map[string]struct {
		over string
		want bool
	}{
		"nothing":      {"", true},
		"IRSA":         {`serviceAccount: {annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::222222222222:role/syncd-workload"}}`, false},
		"Pod Identity": {"networkPolicy: {podIdentity: true}", false},
		"no policy":    {"networkPolicy: {enabled: false}", false},
		"keys":         {"extraEnvFrom: [{secretRef: {name: keys}}]", false},
	} {
		files, err := render(t, values(t, "minimal", tt.over))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(files["syncd/templates/NOTES.txt"], "WARNING: the pods cannot get credentials"); got != tt.want {
			t.Errorf("%s: got a warning %t, want %t", name, got, tt.want)
		}
	}
}

// TestTerraformPoliciesPassTheCheck checks that syncd's policy check finds no fault in the modules'
// policies, with or without the tags of Pod Identity.
func TestTerraformPoliciesPassTheCheck(t *testing.T) {
	for _, s := range sharings() {
		for _, inherits := range []bool{false, true} {
			vars := s.consumerVariables()
			if inherits {
				delete(vars, "workload_role_arn")
				vars["pod_identity"] = cty.ObjectVal(map[string]cty.Value{"cluster_name": cty.StringVal("data")})
				vars["allow_session_tags"] = cty.True
			}
			consumer, err := loadModule(t, "consumer").evaluate(vars, made("", workloadRole))
			if err != nil {
				t.Fatal(err)
			}
			owner, err := loadModule(t, "owner").evaluate(s.ownerVariables(), nil)
			if err != nil {
				t.Fatal(err)
			}
			of, from := consumer.Variables["local"], owner.Variables["local"]
			for _, d := range []struct {
				kind   access.Kind
				target string
				body   cty.Value
			}{
				{access.KindTrust, consumerRole, of.GetAttr("trust")},
				{access.KindIdentity, consumerRole, of.GetAttr("permissions")},
				{access.KindBucket, "consumer-exports", of.GetAttr("destination_policy")},
				{access.KindBucket, "consumer-state", of.GetAttr("state_policy")},
				{access.KindKey, destinationKey, of.GetAttr("key_policy")},
				{access.KindBucket, "owner-exports", from.GetAttr("bucket_policy")},
			} {
				report, err := lint.Check([]document.File{{Name: string(d.kind), Data: []byte(encoded(t, d.body)), Kind: d.kind, Target: d.target}}, lint.Options{})
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range report.Findings {
					t.Errorf("%s, inherited tags %t, %s of %s: got %+v, want nothing", s.name, inherits, d.kind, d.target, f)
				}
			}
		}
	}
}

// TestTerraformTrustsTheTagsOfPodIdentity checks that the trust policy accepts the tags of Pod
// Identity only with the values of syncd's own pod, and that it accepts no other tags.
func TestTerraformTrustsTheTagsOfPodIdentity(t *testing.T) {
	vars := sharings()[0].consumerVariables()
	delete(vars, "workload_role_arn")
	vars["pod_identity"] = cty.ObjectVal(map[string]cty.Value{"cluster_name": cty.StringVal("data")})
	vars["allow_session_tags"] = cty.True
	scope, err := loadModule(t, "consumer").evaluate(vars, made("", workloadRole))
	if err != nil {
		t.Fatal(err)
	}
	trust := iam.MustParse(encoded(t, scope.Variables["local"].GetAttr("trust")))
	for name, tt := range map[string]struct {
		tags map[string]string
		want bool
	}{
		"not shown":      {nil, true},
		"shown":          {map[string]string{"eks-cluster-name": "data", "kubernetes-namespace": "syncd", "kubernetes-service-account": "syncd", "kubernetes-pod-name": "syncd-1"}, true},
		"of another pod": {map[string]string{"eks-cluster-name": "data", "kubernetes-namespace": "other", "kubernetes-service-account": "syncd"}, false},
		"an unknown tag": {map[string]string{"admin": "yes"}, false},
	} {
		facts := map[string][]string{}
		for key, value := range tt.tags {
			facts["aws:RequestTag/"+key] = []string{value}
			facts["aws:TagKeys"] = append(facts["aws:TagKeys"], key)
		}
		d := iam.Evaluate(iam.Request{
			Caller: iam.Caller{ARN: "arn:aws:sts::222222222222:assumed-role/syncd-workload/pod", RoleARN: workloadRole, Account: "222222222222"},
			Action: "sts:TagSession", Resource: consumerRole, Account: "222222222222", Context: facts,
		}, iam.Policies{Resource: trust, Kind: iam.Trust})
		if d.Allowed != tt.want {
			t.Errorf("%s: got allowed %t, want %t", name, d.Allowed, tt.want)
		}
	}
}
