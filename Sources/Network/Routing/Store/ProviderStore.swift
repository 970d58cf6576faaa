internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// Who said that it provides which content: bounded in keys, by key and by peer, and in age.
struct ProviderStore: Sendable {
  private struct Provider: Sendable {
    var contact: Contact
    var at: Instant
  }

  private let configuration: Kademlia.Configuration
  /// For each key its providers, the latest last.
  private var table = SortedTable<Digest, [Provider]>()
  private var perPeer = SortedTable<PeerID, Int>()
  private(set) var count = 0

  init(_ configuration: Kademlia.Configuration) { self.configuration = configuration }

  /// Keeps that a peer provides a key. Whether it is kept.
  ///
  /// A peer that named too many keys, and new keys beyond the limit, are refused; of a key's providers the one that announced itself
  /// longest ago goes.
  mutating func add(_ contact: Contact, to key: Digest, at now: Instant) -> Bool {
    let limits = configuration.limits
    if let index = table.index(of: key), let place = table[at: index].firstIndex(where: { $0.contact.peer == contact.peer }) {
      table[at: index].remove(at: place)
      table[at: index].append(Provider(contact: contact, at: now))
      return true
    }
    guard perPeer[contact.peer] ?? 0 < limits.providedPerPeer else { return false }
    if table.index(of: key) == nil {
      guard table.count < limits.providedKeys else { return false }
      table[key] = []
    }
    guard let index = table.index(of: key) else { return false }
    if table[at: index].count >= limits.providersPerKey { uncount(table[at: index].removeFirst().contact.peer) }
    table[at: index].append(Provider(contact: contact, at: now))
    perPeer[contact.peer] = (perPeer[contact.peer] ?? 0) + 1
    count += 1
    return true
  }

  /// The providers of a key, the latest first. Addresses older than ``Kademlia/Configuration/providerAddressAge`` are left out.
  func providers(of key: Digest, at now: Instant) -> [Contact] {
    guard let index = table.index(of: key) else { return [] }
    return table[at: index].reversed().filter { now - $0.at < configuration.providerAge }.map {
      now - $0.at < configuration.providerAddressAge ? $0.contact : Contact($0.contact.peer)
    }
  }

  /// Forgets what is too old.
  mutating func sweep(at now: Instant) {
    for index in table.order.indices {
      for provider in table[at: index] where now - provider.at >= configuration.providerAge { uncount(provider.contact.peer) }
      table[at: index].removeAll { now - $0.at >= configuration.providerAge }
    }
    table.filter { !$1.isEmpty }
  }

  private mutating func uncount(_ peer: PeerID) {
    count -= 1
    guard let known = perPeer[peer] else { return }
    perPeer[peer] = known > 1 ? known - 1 : nil
  }
}
