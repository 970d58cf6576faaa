extension RunResult {
  /// The result as `result.json`: keys in a fixed order, a line feed at its end. Key names are a contract.
  public func json() -> String { value.indented() + "\n" }

  /// The result as a JSON value.
  public var value: JSON {
    .object([
      .init("name", .string(name)),
      .init("command", .string(command)),
      .init("seed", .unsigned(seed)),
      .init("trace", .string(trace)),
      .init("data", data.value),
      .init("peerCount", .integer(peerCount)),
      .init("model", .string(model)),
      .init("offlineProbability", .optional(offlineProbability)),
      .init("offline", .optional(offline)),
      .init("faults", .array(faults.map(JSON.string))),
      .init("alone", alone?.value ?? .null),
      .init("central", .optional(central)),
      .init("together", together?.value ?? .null),
      .init("gapClosed", .optional(gapClosed)),
      .init("online", .object([.init("mean", .optional(onlineMean)), .init("share", .optional(onlineShare))])),
      .init("resilience", resilience?.value ?? .null),
      .init(
        "bytesSent",
        .object([
          .init("total", .optional(bytesSent)), .init("perPeer", .optional(bytesSentPerPeer)),
          .init("perPeerAndCycle", .optional(bytesPerPeerAndCycle)),
        ])),
      .init("averaging", averaging?.value ?? .null),
      .init(
        "messages",
        .object([.init("total", .optional(messages)), .init("perPeerAndCycle", .optional(messagesPerPeerAndCycle))])),
      .init("cycles", .object([.init("total", .optional(cycles)), .init("perPeer", .optional(cyclesPerPeer))])),
      .init("virtualSeconds", .number(virtualSeconds)),
      .init("wallSeconds", .optional(wallSeconds)),
      .init("peerCyclesPerSecond", .optional(peerCyclesPerSecond)),
      .init("threads", .optional(threads)),
      .init("versions", .object(versions.map { JSON.Member($0.part, .string($0.version)) })),
      .init("interrupted", .optional(interrupted)),
      .init("notes", .array(notes.map(JSON.string))),
      .init("configuration", .optional(configuration)),
      .init("peers", .array(peers.map(\.value))),
    ])
  }

  /// The share of peers online, mean over time, in 0…1.
  public var onlineShare: Double? { peerCount > 0 ? onlineMean.map { $0 / Double(peerCount) } : nil }
}

extension Distribution {
  /// The distribution as a JSON object.
  public var value: JSON {
    .object([
      .init("mean", .number(mean)), .init("spread", .number(spread)), .init("sd", .number(deviation)),
      .init("min", .number(minimum)), .init("max", .number(maximum)),
    ])
  }
}

extension RunResult.Data {
  var value: JSON {
    .object([
      .init("name", .string(name)), .init("rows", .integer(rows)), .init("testRows", .optional(testRows)),
      .init("features", .integer(features)), .init("classes", .integer(classes)), .init("split", .optional(split)),
    ])
  }
}

extension RunResult.Averaging {
  var value: JSON {
    .object([
      .init("attempts", .integer(attempts)), .init("successes", .integer(successes)), .init("rate", .optional(rate)),
    ])
  }
}

extension PeerResult {
  var value: JSON {
    .object([
      .init("id", .integer(id)), .init("role", .string(role)), .init("accuracy", .optional(accuracy)),
      .init("aloneAccuracy", .optional(aloneAccuracy)), .init("rows", .integer(rows)), .init("cycles", .integer(cycles)),
      .init("bytesSent", .integer(bytesSent)), .init("bytesReceived", .integer(bytesReceived)),
      .init("model", .optional(model)), .init("joinedAt", .number(joinedAt)), .init("onlineShare", .optional(onlineShare)),
    ])
  }
}
