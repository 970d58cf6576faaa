internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// What others ask of us.
extension Kademlia {
  /// Answers a request, or refuses it.
  mutating func serve(
    _ token: RequestToken, _ peer: PeerID, _ message: KademliaMessage, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    switch answer(message, to: peer, at: now, &effects) {
    case .success(let answer):
      statistics.served += 1
      effects.append(.answer(token, answer))
    case .failure(.silent):
      statistics.served += 1
      effects.append(.refuse(token, .silent))
    case .failure(let refusal):
      statistics.refused += 1
      effects.append(.refuse(token, refusal))
    }
  }

  private mutating func answer(
    _ message: KademliaMessage, to peer: PeerID, at now: Instant, _ effects: inout Effects<Effect>
  ) -> Result<KademliaMessage, Refusal> {
    guard mode == .server, peer != id else { return .failure(.clientMode) }
    let isWrite = message.kind == .putValue || message.kind == .addProvider
    guard rate.take(isWrite ? 4 : 1, of: peer, at: now) else { return .failure(.tooMany) }
    guard message.kind == .ping || (!message.key.isEmpty && message.key.count <= 1_024) else { return .failure(.malformed) }
    switch message.kind {
    case .ping: return .success(KademliaMessage(.ping))
    case .findNode: return .success(KademliaMessage(.findNode, key: message.key, closer: nearest(message.key, for: peer)))
    case .getValue:
      let key = Key(message.key)
      var answer = KademliaMessage(.getValue, key: message.key, closer: nearest(message.key, for: peer))
      if let value = records.value(key, at: now) { answer.record = .init(key: message.key, value: value) }
      return .success(answer)
    case .getProviders:
      guard message.key.count <= 80 else { return .failure(.malformed) }
      var answer = KademliaMessage(.getProviders, key: message.key, closer: nearest(message.key, for: peer))
      let key = Key(message.key)
      answer.providers = providers.providers(of: key.point, at: now).filter { $0.peer != peer }
      if published[key]?.value == nil, published[key] != nil {
        answer.providers.append(configuration.scope.trimmed(Contact(id, addresses), most: limits.addressesPerPeer))
      }
      return .success(answer)
    case .putValue: return put(message, by: peer, at: now, &effects)
    case .addProvider:
      guard message.key.count <= 80 else { return .failure(.malformed) }
      // Only for itself may a peer speak; the channel proved who it is.
      guard let own = message.providers.first(where: { $0.peer == peer }) else { return .failure(.rejected) }
      let contact = configuration.scope.trimmed(own, most: limits.addressesPerPeer)
      guard providers.add(contact, to: Key(message.key).point, at: now) else { return .failure(.full) }
      planSweep(at: now, &effects)
      return .failure(.silent)
    }
  }

  private mutating func put(
    _ message: KademliaMessage, by peer: PeerID, at now: Instant, _ effects: inout Effects<Effect>
  ) -> Result<KademliaMessage, Refusal> {
    guard let record = message.record, record.key == message.key else { return .failure(.malformed) }
    let key = Key(message.key)
    guard let namespace = namespace(of: key) else { return .failure(.rejected) }
    let echo = KademliaMessage(.putValue, key: message.key, record: .init(key: record.key, value: record.value))
    if let held = records.value(key, at: now) {
      // What we have already needs no second look at its signature, but shows that it is still wanted.
      if held != record.value {
        do throws(WireError) { try validate(record.value, under: key) } catch { return invalid() }
        guard namespace.prefers(record.value, to: held) else { return .failure(.rejected) }
      }
    } else {
      do throws(WireError) { try validate(record.value, under: key) } catch { return invalid() }
    }
    guard records.put(record.value, under: key, by: peer, at: now) else { return .failure(.full) }
    planSweep(at: now, &effects)
    return .success(echo)
  }

  private mutating func invalid() -> Result<KademliaMessage, Refusal> {
    statistics.invalid += 1
    return .failure(.invalid)
  }

  /// The peers nearest to a key that we may name to `peer`; the peer it is the key of, if we know it, first.
  private func nearest(_ bytes: [UInt8], for peer: PeerID) -> [Contact] {
    var found = table.closest(to: Key(bytes).point, limit: configuration.bucketSize, excluding: peer).map(\.contact)
    let wanted: PeerID
    do throws(WireError) { wanted = try PeerID(bytes: bytes) } catch { return found }
    guard wanted != peer, !found.contains(where: { $0.peer == wanted }) else { return found }
    if wanted == id {
      found.insert(configuration.scope.trimmed(Contact(id, addresses), most: limits.addressesPerPeer), at: 0)
    } else if let known = acquaintances[wanted]?.contact, !known.addresses.isEmpty {
      found.insert(known, at: 0)
    } else {
      return found
    }
    if found.count > configuration.bucketSize { found.removeLast() }
    return found
  }
}
