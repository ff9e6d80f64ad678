package iam_test

import "syncd/internal/iam"

const (
	owner    = "111111111111"
	consumer = "222222222222"
	object   = "arn:aws:s3:::owner-data/exports/a"
	keyARN   = "arn:aws:kms:us-west-2:111111111111:key/0f1e2d3c"
	roleARN  = "arn:aws:iam::111111111111:role/reader"
)

func root(account string) string { return "arn:aws:iam::" + account + ":root" }

func user(account string) iam.Caller {
	return iam.Caller{ARN: "arn:aws:iam::" + account + ":user/eng/team/alice", Account: account}
}

// session returns a session of the role sync/reader. The session's ARN does not contain the role's
// path.
func session(account string) iam.Caller {
	return iam.Caller{
		ARN:     "arn:aws:sts::" + account + ":assumed-role/reader/nightly",
		RoleARN: "arn:aws:iam::" + account + ":role/sync/reader",
		Account: account,
	}
}

func rootUser(account string) iam.Caller {
	return iam.Caller{ARN: root(account), Account: account, Root: true}
}

func get(c iam.Caller) iam.Request {
	return iam.Request{Caller: c, Action: "s3:GetObject", Resource: object, Account: owner}
}

func decrypt(c iam.Caller) iam.Request {
	return iam.Request{Caller: c, Action: "kms:Decrypt", Resource: keyARN, Account: owner}
}

func assume(c iam.Caller) iam.Request {
	return iam.Request{Caller: c, Action: "sts:AssumeRole", Resource: roleARN, Account: owner}
}

// allowAll, denyAll and silent are identity policies; silent allows an unrelated action.
func allowAll() *iam.Document { return everything(iam.Allow) }
func denyAll() *iam.Document  { return everything(iam.Deny) }
func silent() *iam.Document {
	return iam.MustParse(`{"Statement": {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}}`)
}

func everything(effect iam.Effect, principals ...iam.Principal) *iam.Document {
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{
		Effect: effect, Principals: principals, Actions: []string{"*"}, Resources: []string{"*"},
	}}}
}

// grantTo returns a resource policy that allows AWS principals everything, denyTo one that denies
// them everything.
func grantTo(ids ...string) *iam.Document { return everything(iam.Allow, awsPrincipals(ids)...) }
func denyTo(ids ...string) *iam.Document  { return everything(iam.Deny, awsPrincipals(ids)...) }

// trust returns a role trust policy, which has no Resource.
func trust(ids ...string) *iam.Document {
	d := grantTo(ids...)
	d.Statements[0].Resources = nil
	return d
}

func awsPrincipals(ids []string) []iam.Principal {
	var list []iam.Principal
	for _, id := range ids {
		list = append(list, iam.Principal{Kind: iam.AWSPrincipal, ID: id})
	}
	return list
}

func docs(list ...*iam.Document) []*iam.Document { return list }
