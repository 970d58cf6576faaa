extension Scenario {
  /// The scenario as one line of YAML without what is as it is by default; reading it gives an equal scenario. For where room is short.
  public var terse: String {
    let (own, usual) = (Schema.scenario.write(self), Schema.scenario.write(Scenario()))
    // A choice's word may stand for more than its parts, so what is left out is left out of maps of keys only if it comes back.
    for depth in stride(from: 4, through: 1, by: -1) {
      let text = (own.difference(from: usual, depth: depth) ?? .map([])).flow
      do { if try Scenario(yaml: text, file: "terse") == self { return text } } catch { continue }
    }
    return yaml
  }
}

extension Tree {
  /// What differs from `usual`, looking into maps `depth` deep; `nil` if nothing does.
  fileprivate func difference(from usual: Tree, depth: Int) -> Tree? {
    if self == usual { return nil }
    guard depth > 0, case .map(let pairs) = self, case .map(let others) = usual else { return self }
    let kept = pairs.compactMap { pair -> (key: String, value: Tree)? in
      guard let other = others.first(where: { $0.key == pair.key }) else { return pair }
      return pair.value.difference(from: other.value, depth: depth - 1).map { (pair.key, $0) }
    }
    return .map(kept)
  }
}
