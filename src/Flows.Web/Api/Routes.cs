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

        Get("health", new HealthEndpoint(parts).AnswerAsync);
        Get("map", gate.Guard(new MapEndpoint(parts).AnswerAsync));
        Get("edges", gate.Guard(new EdgesEndpoint(parts).AnswerAsync));
        Get("query/{name}", gate.Guard(new QueryEndpoint(parts).AnswerAsync));
        Get("who", gate.Guard(new WhoEndpoint(parts).AnswerAsync));
        Get("policies", gate.Guard(new PoliciesEndpoint(parts).AnswerAsync));
        app.MapPost(Root + "ingest", new IngestEndpoint(parts, options, metrics).AnswerAsync);

        void Get(string path, RequestDelegate answer) => app.MapMethods(Root + path, ["GET", "HEAD"], answer);
    }
}
