module behave

go 1.26.0

require (
	github.com/mediaconduit/mediaconduit/protos/go v0.1.0
	github.com/mediaconduit/mediaconduit/provider_hosts/go v0.1.0
)

require (
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261019180522-ce908d29299b // indirect
	google.golang.org/grpc v1.85.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace (
	github.com/mediaconduit/mediaconduit/protos/go => ./.mediaconduit/protos/go
	github.com/mediaconduit/mediaconduit/provider_hosts/go => ./.mediaconduit/provider_hosts/go
)
