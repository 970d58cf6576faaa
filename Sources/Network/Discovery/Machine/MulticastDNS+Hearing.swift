import MurmurIdentity
import MurmurMachines
import MurmurWire

/// What others answer.
extension MulticastDNS {
  /// Notes every peer that a message tells of. Our own packets come back to us, and are told apart by our name.
  mutating func hear(_ message: DNSMessage, from source: [UInt8], at now: Instant, _ effects: inout Effects<Effect>) {
    for record in message.answers + message.additionals where record.kind == 1 {
      switch record.data {
      case .txt(let strings):
        guard record.name != instance, record.name.isChild(of: MulticastDNS.service) else { continue }
        if record.timeToLive == 0 {
          forget(record.name)
        } else {
          note(record.name, strings, Instant.Span.seconds(Double(record.timeToLive)), from: source, at: now, &effects)
        }
      case .ptr(let name): if record.timeToLive == 0, record.name == MulticastDNS.service { forget(name) }
      case .a, .aaaa, .srv, .other: continue
      }
    }
  }

  /// Goodbye: whoever leaves and comes again is told of again.
  private mutating func forget(_ name: DomainName) {
    for peer in acquaintances.keys.sorted() where acquaintances[peer]?.instance == name { acquaintances[peer] = nil }
  }

  private mutating func note(
    _ name: DomainName, _ strings: [[UInt8]], _ lifetime: Instant.Span, from source: [UInt8], at now: Instant,
    _ effects: inout Effects<Effect>
  ) {
    var peer: PeerID?
    var found: [Multiaddr] = []
    for string in strings where string.starts(with: MulticastDNS.key) {
      guard let text = String(validating: string.dropFirst(MulticastDNS.key.count), as: UTF8.self),
        let address = try? Multiaddr(parsing: text), case .p2p(let hash)? = address.parts.last,
        let named = try? PeerID(bytes: hash.bytes), named != id, peer == nil || peer == named
      else { continue }
      peer = named
      let bare = address.withoutPeer
      if admits(bare, from: source), !found.contains(bare), found.count < configuration.addressesPerPeer { found.append(bare) }
    }
    guard let peer, !found.isEmpty else { return }
    let memory = min(lifetime, configuration.longestMemory)
    var entry = Acquaintance(
      instance: name, addresses: found, heard: now, expires: now + memory, lifetime: memory, told: now)
    if let known = acquaintances[peer] {
      if known.addresses == found, now - known.told < configuration.repetition { entry.told = known.told }
    } else {
      guard mayMeet(at: now) else { return }
      makeRoom()
    }
    acquaintances[peer] = entry
    if entry.told == now { effects.append(.found(peer, found)) }
  }

  /// Whether an address may be believed that came from `source`: one of the site, or the sender's own; on the loopback interface, this
  /// machine's. Otherwise a packet could make every peer of a network dial whomever it names.
  private func admits(_ address: Multiaddr, from source: [UInt8]) -> Bool {
    guard MulticastDNS.isDirect(address) else { return false }
    switch (scope, address.reach) {
    case (.loopback, .loopback), (.network, .site): return true
    case (.network, .link): return address.hostBytes?.count == 4
    case (.network, .global): return address.hostBytes == source
    case (.loopback, _), (.network, _): return false
    }
  }

  private mutating func mayMeet(at now: Instant) -> Bool {
    if now - newcomersSince >= .minutes(1) {
      newcomersSince = now
      newcomers = 0
    }
    newcomers += 1
    return newcomers <= configuration.newPeersPerMinute
  }

  private mutating func makeRoom() {
    guard acquaintances.count >= configuration.peers else { return }
    // house:allow(order) identities break ties
    let oldest = acquaintances.min {
      $0.value.heard != $1.value.heard ? $0.value.heard < $1.value.heard : $0.key < $1.key
    }
    if let oldest { acquaintances[oldest.key] = nil }
  }

  mutating func forgetExpired(at now: Instant) {
    acquaintances = acquaintances.filter { $0.value.expires > now }
  }
}
