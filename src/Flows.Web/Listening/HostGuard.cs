using System.Net;
using Flows.Web.Api;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Listening;

/// <summary>
/// Refuses requests whose Host header names somebody else. A page on evil.example can let its own name resolve to 127.0.0.1 (DNS
/// rebinding) and would then read this server as its own origin; but it cannot choose the Host header.
/// </summary>
internal sealed class HostGuard(IReadOnlyList<ListenAddress> addresses, bool insecure)
{
    public Task CheckAsync(HttpContext context, RequestDelegate next) =>
        insecure || IsOwn(context.Request.Host.Host) || context.Connection.LocalIpAddress is null
            ? next(context)
            : Problem.WriteAsync(context, StatusCodes.Status421MisdirectedRequest, "The Host header names another server; use localhost or the address this server listens on.");

    private bool IsOwn(string host)
    {
        if (host == "localhost")
        {
            return true;
        }

        return IPAddress.TryParse(host.Trim('[', ']'), out var ip)
            && (IPAddress.IsLoopback(ip) || addresses.Any(address => address.EndPoint is IPEndPoint own && own.Address.Equals(ip)));
    }
}
