#!/usr/bin/env bash
# Generates Sources/Foundations/Wire/Generated/*.pb.swift from the .proto files here.
# Needs protoc (apt install protobuf-compiler) and protoc-gen-swift of the swift-protobuf version in Package.resolved:
#   swift build -c release --product protoc-gen-swift --package-path .build/checkouts/swift-protobuf --scratch-path /tmp/protoc-gen-swift
#   PATH=/tmp/protoc-gen-swift/release:$PATH Protocols/generate.sh
set -euo pipefail
cd "$(dirname "$0")"
protoc --swift_out=../Sources/Foundations/Wire/Generated --swift_opt=Visibility=Package --swift_opt=UseAccessLevelOnImports=true ./*.proto
