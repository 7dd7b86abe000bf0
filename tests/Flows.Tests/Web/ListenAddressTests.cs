using Flows.Core;
using Flows.Web.Listening;
using Xunit;

namespace Flows.Tests.Web;

public sealed class ListenAddressTests
{
    [Theory]
    [InlineData("127.0.0.1:8080")]
    [InlineData("127.1.2.3:0")]
    [InlineData("[::1]:8080")]
    [InlineData("localhost:8080")]
    [InlineData("unix:/run/flows/flows.sock")]
    public void Local_addresses_need_no_permission(string text) => Assert.True(ListenAddress.Parse(text, insecure: false).IsLocal);

    [Theory]
    [InlineData("0.0.0.0:8080")]
    [InlineData("[::]:8080")]
    [InlineData("10.0.0.1:8080")]
    public void Others_are_refused_unless_insecure(string text)
    {
        var fault = Assert.Throws<FlowsException>(() => ListenAddress.Parse(text, insecure: false));
        Assert.Equal(ExitCode.Usage, fault.ExitCode);
        Assert.Contains("mutual TLS", fault.Message, StringComparison.Ordinal);
        Assert.False(ListenAddress.Parse(text, insecure: true).IsLocal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("8080")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("::1:8080")]
    [InlineData("[127.0.0.1]:8080")]
    [InlineData("example.com:8080")]
    [InlineData("unix:relative.sock")]
    [InlineData("unix:")]
    public void What_is_no_address_is_refused(string text) =>
        Assert.Equal(ExitCode.Usage, Assert.Throws<FlowsException>(() => ListenAddress.Parse(text, insecure: true)).ExitCode);
}
