using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Flows.Capture.Doctor;
using Flows.Core;
using Flows.Core.Map;
using Flows.Core.Policy;
using Flows.Demo;
using Flows.Verbs;

namespace Flows;

/// <summary>How the command line writes JSON: snake_case names, nulls kept, readable text.</summary>
internal static class Json
{
    public static JsonDocuments Compact { get; } = new(Readable(indented: false));

    public static JsonDocuments Indented { get; } = new(Readable(indented: true));

    private static JsonSerializerOptions Readable(bool indented) =>
        new(JsonDocuments.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = indented };
}

/// <summary>Every document that the command line writes or reads. Their readers and writers are made at build time: a native executable can make none when it runs.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters =
    [
        typeof(SnakeCaseName<DialOutcome>), typeof(SnakeCaseName<FindingStatus>), typeof(SnakeCaseName<ResolvedBy>), typeof(SnakeCaseName<ReviewReason>),
        typeof(SnakeCaseName<RulePurpose>), typeof(SnakeCaseName<ReadinessState>), typeof(SnakeCaseName<StepState>), typeof(SnakeCaseName<StepAdvice>),
    ])]
[JsonSerializable(typeof(DemoReport))]
[JsonSerializable(typeof(DemoTruth))]
[JsonSerializable(typeof(DoctorReport))]
[JsonSerializable(typeof(IReadOnlyList<ReviewEntry>), TypeInfoPropertyName = "Review")]
[JsonSerializable(typeof(DiffReport))]
[JsonSerializable(typeof(ExplainReport))]
[JsonSerializable(typeof(IReadOnlyList<ReadinessEntry>), TypeInfoPropertyName = "Readiness")]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(PlanReport))]
[JsonSerializable(typeof(PodReply))]
[JsonSerializable(typeof(PodRequest))]
[JsonSerializable(typeof(IReadOnlyList<Reach>), TypeInfoPropertyName = "Reaches")]
[JsonSerializable(typeof(ReplayOutcome))]
[JsonSerializable(typeof(RuleReasons))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(SuggestionIndex))]
[JsonSerializable(typeof(SuggestReport))]
[JsonSerializable(typeof(TestReport))]
[JsonSerializable(typeof(ValidatedPolicy))]
[JsonSerializable(typeof(WhoReport))]
internal sealed partial class JsonDocuments : JsonSerializerContext;
