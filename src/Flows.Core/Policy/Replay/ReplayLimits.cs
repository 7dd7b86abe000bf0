namespace Flows.Core.Policy;

/// <summary>How far a replay looks for what nobody asked for.</summary>
/// <param name="SurplusMost">Connections listed; the rest is counted.</param>
/// <param name="PairsMax">Pairs of workloads and port that are tried: a rule for everybody names as many as there are workloads. About ten seconds.</param>
public sealed record ReplayLimits(int SurplusMost = 1_000, long PairsMax = 5_000_000);
