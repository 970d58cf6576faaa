public import Metrics
import NIOConcurrencyHelpers

/// Collects what swift-metrics is told, and writes it in the text format of Prometheus.
///
/// Counters and gauges are atomic numbers; a histogram has a lock of its own. Only to make a series takes the registry's lock, so hold on
/// to what was made. Whatever is beyond ``Limits``, or has a name that is another kind's, is counted in
/// `murmur_metrics_refused_series_total` and otherwise goes nowhere.
public final class PrometheusRegistry: MetricsFactory {
  /// How much is collected.
  public struct Limits: Sendable {
    /// Names.
    public var families = 256
    /// Names with labels, altogether.
    public var series = 2_048

    /// The defaults.
    public init() {}
  }

  private struct Family {
    var kind: PrometheusText.Kind
    var series: [String: any Series] = [:]
  }

  private struct State {
    var families: [String: Family] = [:]
    var series = 0
    var refused = 0
  }

  private let limits: Limits
  private let help: [String: String]
  private let state = NIOLockedValueBox(State())

  /// An empty registry. `help` says what names mean, without which they are written without such a line.
  public init(help: [String: String] = [:], limits: Limits = Limits()) {
    self.help = help
    self.limits = limits
  }

  /// A registry that knows what the metrics of ``Node`` and ``Transport`` mean.
  public static func ofNode(limits: Limits = Limits()) -> PrometheusRegistry {
    PrometheusRegistry(help: Meters.help, limits: limits)
  }

  /// All there is, in the order of names and labels.
  public func text() -> String {
    let (families, refused) = state.withLockedValue { ($0.families, $0.refused) }
    var text = ""
    for name in families.keys.sorted() {
      guard let family = families[name], !family.series.isEmpty else { continue }
      PrometheusText.head(name, family.kind, help[name] ?? "", to: &text)
      for labels in family.series.keys.sorted() { family.series[labels]?.write(name, labels, to: &text) }
    }
    let name = "murmur_metrics_refused_series_total"
    PrometheusText.head(name, .counter, "Series that were asked for and are not collected, as there are too many.", to: &text)
    PrometheusText.line(name, "", "\(refused)", to: &text)
    return text
  }

  /// The series of that name and labels; a new one outside the registry if there is no room for it.
  private func series<Made: Series>(
    _ label: String, _ dimensions: [(String, String)], _ kind: PrometheusText.Kind, _ make: () -> Made
  ) -> Made {
    let name = PrometheusText.name(label, colons: true)
    let labels = PrometheusText.labels(dimensions)
    return state.withLockedValue { state in
      if let known = state.families[name] {
        if known.kind == kind, let same = known.series[labels] as? Made { return same }
        guard known.kind == kind, known.series[labels] == nil, state.series < limits.series else {
          state.refused += 1
          return make()
        }
      } else {
        guard state.families.count < limits.families, state.series < limits.series else {
          state.refused += 1
          return make()
        }
        state.families[name] = Family(kind: kind)
      }
      let made = make()
      state.families[name]?.series[labels] = made
      state.series += 1
      return made
    }
  }

  private func destroy(_ handler: AnyObject) {
    state.withLockedValue { state in
      for name in state.families.keys.sorted() {
        guard let labels = state.families[name]?.series.first(where: { $0.value === handler })?.key else { continue }
        state.families[name]?.series[labels] = nil
        state.series -= 1
        if state.families[name]?.series.isEmpty == true { state.families[name] = nil }
        return
      }
    }
  }

  // MARK: What swift-metrics asks for

  /// A counter.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(label, dimensions, .counter) { CounterSeries() }
  }

  /// A counter of fractions.
  public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
    series(label, dimensions, .counter) { GaugeSeries() }
  }

  /// A gauge.
  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    series(label, dimensions, .gauge) { GaugeSeries() }
  }

  /// A histogram, or a gauge if nothing is to be aggregated.
  public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    guard aggregate else { return series(label, dimensions, .gauge) { GaugeSeries() } }
    return series(label, dimensions, .histogram) { HistogramSeries(bounds: HistogramSeries.powers) }
  }

  /// A histogram of seconds.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(label, dimensions, .histogram) { HistogramSeries(bounds: HistogramSeries.seconds) }
  }

  /// The series is not written any more.
  public func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
  /// The series is not written any more.
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { destroy(handler) }
  /// The series is not written any more.
  public func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }
  /// The series is not written any more.
  public func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
  /// The series is not written any more.
  public func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }
}
