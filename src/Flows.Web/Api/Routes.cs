using Flows.Web.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary>The API's table of contents.</summary>
internal static class Routes
{
    private const string Root = "/api/v1/";

    public static void Map(WebApplication app, WebOptions options, WebParts parts, FlowMetrics metrics)
    {
        var gate = new QuestionGate(options.QuestionsMax, options.QuestionsWaitingMax);
        app.Lifetime.ApplicationStopped.Register(gate.Dispose);

        // Policies of a large estate take half a minute: they wait for each other, and nobody's map waits for them.
        var patient = new QuestionGate(atOnce: 1, options.PolicyQuestionsWaitingMax);
        app.Lifetime.ApplicationStopped.Register(patient.Dispose);

        Get("health", new HealthEndpoint(parts).AnswerAsync);
        Get("map", gate.Guard(new MapEndpoint(parts).AnswerAsync));
        Get("edges", gate.Guard(new EdgesEndpoint(parts).AnswerAsync));
        Get("query/{name}", gate.Guard(new QueryEndpoint(parts).AnswerAsync));
        Get("who", gate.Guard(new WhoEndpoint(parts).AnswerAsync));
        Get("policies", patient.Guard(new PoliciesEndpoint(parts).AnswerAsync));
        Get("policies/review", patient.Guard(new PolicyReviewEndpoint(parts).AnswerAsync));
        Get("policies/plan", patient.Guard(new PolicyPlanEndpoint(parts).AnswerAsync));
        Get("policies/archive", patient.Guard(new PolicyArchiveEndpoint(parts).AnswerAsync));
        app.MapPost(Root + "ingest", new IngestEndpoint(parts, options, metrics).AnswerAsync);

        void Get(string path, RequestDelegate answer) => app.MapMethods(Root + path, ["GET", "HEAD"], answer);
    }
}
