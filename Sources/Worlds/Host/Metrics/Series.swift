import Metrics
import NIOConcurrencyHelpers
import Synchronization

/// One line or more of a family: what was counted under one set of labels.
protocol Series: AnyObject, Sendable {
  /// Appends the series' lines; `name` and `labels` (`a="b",c="d"` or nothing) are as they are to be written.
  func write(_ name: String, _ labels: String, to text: inout String)
}

/// A number that only grows, added to without a lock.
final class CounterSeries: Series, CounterHandler {
  private let value = Atomic<Int64>(0)

  func increment(by amount: Int64) {
    guard amount > 0 else { return }
    value.wrappingAdd(amount, ordering: .relaxed)
  }

  func reset() { value.store(0, ordering: .relaxed) }

  func write(_ name: String, _ labels: String, to text: inout String) {
    PrometheusText.line(name, labels, "\(value.load(ordering: .relaxed))", to: &text)
  }
}

/// A number that goes up and down, set without a lock. It counts in fractions too: also for counters of fractions.
final class GaugeSeries: Series, RecorderHandler, MeterHandler, FloatingPointCounterHandler {
  private let bits = Atomic<UInt64>(0)

  func record(_ value: Int64) { set(Double(value)) }
  func record(_ value: Double) { set(value) }
  func set(_ value: Int64) { set(Double(value)) }
  func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
  func decrement(by amount: Double) { increment(by: -amount) }
  func reset() { set(0.0) }

  func increment(by amount: Double) {
    var old = bits.load(ordering: .relaxed)
    while true {
      let new = (Double(bitPattern: old) + amount).bitPattern
      let (isExchanged, seen) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
      if isExchanged { return }
      old = seen
    }
  }

  func write(_ name: String, _ labels: String, to text: inout String) {
    PrometheusText.line(name, labels, PrometheusText.number(Double(bitPattern: bits.load(ordering: .relaxed))), to: &text)
  }
}

/// How often values fell below each of some bounds, their number and their sum.
final class HistogramSeries: Series, RecorderHandler, TimerHandler {
  /// Bounds for seconds, from half a millisecond to ten seconds.
  static let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
  /// Bounds for anything: powers of four, up to a billion.
  static let powers = (0...15).map { Double(1 << (2 * $0)) }

  private let bounds: [Double]
  private let state: NIOLockedValueBox<(counts: [Int], sum: Double)>

  init(bounds: [Double]) {
    self.bounds = bounds
    state = NIOLockedValueBox(([Int](repeating: 0, count: bounds.count + 1), 0))
  }

  func record(_ value: Int64) { record(Double(value)) }
  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

  func record(_ value: Double) {
    guard !value.isNaN else { return }
    let place = bounds.firstIndex { value <= $0 } ?? bounds.count
    state.withLockedValue {
      $0.counts[place] += 1
      $0.sum += value
    }
  }

  func write(_ name: String, _ labels: String, to text: inout String) {
    let (counts, sum) = state.withLockedValue { $0 }
    let before = labels.isEmpty ? "" : labels + ","
    var total = 0
    for (place, count) in counts.enumerated() {
      total += count
      let bound = place < bounds.count ? PrometheusText.number(bounds[place]) : "+Inf"
      PrometheusText.line(name + "_bucket", before + "le=\"\(bound)\"", "\(total)", to: &text)
    }
    PrometheusText.line(name + "_sum", labels, PrometheusText.number(sum), to: &text)
    PrometheusText.line(name + "_count", labels, "\(total)", to: &text)
  }
}
