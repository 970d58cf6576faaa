public import MurmurCompute
public import MurmurSplit

/// A way for devices to reconstruct images together, of which some may be dead.
public protocol PatchStrategy {
  /// The images.
  var images: PatchImages { get }
  /// Whole images, patch after patch, as the devices that live give them.
  mutating func reconstruct(_ rows: [Int32], dead: [Int], links: Drill.Rate) -> Matrix
}

extension PatchStrategy {
  /// The mean squared error over all patches, the dead devices' too: over the test rows, and over all choices of so many dead devices.
  public mutating func risk(dead count: Int = 0, links: Drill.Rate = .never, isStopped: () -> Bool = { false }) -> Double? {
    var (sum, parts) = (0.0, 0)
    for dead in PatchChoices.all(count, of: images.devices) {
      for start in stride(from: 0, to: images.tested.count, by: 500) {
        if isStopped() { return nil }
        let rows = Array(images.tested[start..<min(start + 500, images.tested.count)])
        sum += PatchRisk.meanSquared(reconstruct(rows, dead: dead, links: links), images.images.taking(rows)) * Double(rows.count)
        parts += rows.count
      }
    }
    return sum / Double(max(1, parts))
  }
}

/// Choices of some devices of all.
public enum PatchChoices {
  /// All sets of `count` of `devices`, in order.
  public static func all(_ count: Int, of devices: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    return all(count - 1, of: devices).flatMap { set in
      (0..<devices).filter { $0 > set.last ?? -1 }.map { set + [$0] }
    }
  }
}

extension SplitWorld {
  /// Gives a frozen stage of every device its parameters.
  mutating func fix(_ stage: Int, _ parameters: ParameterVector) {
    for device in 0..<plan.devices {
      var units = self.device(device).units
      precondition(units[stage].parameters.count == parameters.count, "stage \(stage) has other parameters")
      units[stage].parameters = parameters
      place(units, on: device)
    }
  }

  /// Every device's own answer while some are dead: they are gone before the question is asked.
  mutating func ask(_ rows: [Int32], dead: [Int], links: Drill.Rate) -> [Matrix?] {
    guard let asker = (0..<plan.devices).first(where: { !dead.contains($0) }) else { return plan.features.map { _ in nil } }
    let changed = (0..<plan.devices).filter { isAlive($0) == dead.contains($0) }
    for device in changed { act(dead.contains(device) ? .dies(device) : .returns(device)) }
    // Who has come back is not waited for until it was heard again: a question that nobody looks at tells everybody who is there.
    if !changed.isEmpty { _ = ask(asker, rows: [rows[0]]) }
    return ask(asker, rows: rows, drill: Drill(links: links)).own
  }
}
