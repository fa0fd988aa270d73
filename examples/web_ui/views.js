// Saved views and columns of the Temporal Web UI (2.54) for supervisors of the desk.
//
// Open the Web UI, its developer tools (F12), the console; paste this file, press Enter: the page loads
// again, and the views stand under "Saved Views" above the list of workflows. The browser keeps them,
// for this address alone. Pasted again it brings them up to date; views of your own stay. Another namespace than
// "default": change the first line.
(() => {
  const namespace = "default";
  const issues = '`WorkflowType`="IssueWorkflow" AND `ExecutionStatus`="Running"';
  const views = {
    "逾期 Overdue": `${issues} AND \`SlaState\`="overdue"`,
    "将到期 At risk": `${issues} AND \`SlaState\`="at_risk"`,
    "无人处理 Nobody's": `${issues} AND \`Engineer\` IS NULL AND \`IssueStage\`="registered"`,
    "已升级 Escalated": `${issues} AND \`EscalationLevel\`>0`,
    "等待客户 Waiting for the customer": `${issues} AND \`IssueStage\`="waiting"`,
    "待审批 Waiting for a yes": `${issues} AND \`IssueStage\`="approving"`,
    "重新处理 Reopened": `${issues} AND \`ReopenCount\`>0`,
    "投诉 Complaints": `${issues} AND \`IssueKind\`="complaint"`,
    "重大 Major": `${issues} AND \`IssueSeverity\`="major"`,
    "技术服务部 Technical service": `${issues} AND \`Department\`="technical_service"`,
    "未能登记 Failed": '`WorkflowType`="IssueWorkflow" AND `ExecutionStatus`="Failed"',
  };
  const columns = [
    "IssueNumber", "IssueStage", "SlaState", "NextDueAt", "Engineer", "Department",
    "IssueKind", "IssueSeverity", "ProductLine", "Region", "EscalationLevel", "Workflow ID",
  ];
  const kept = (key) => JSON.parse(localStorage.getItem(key) ?? "{}");
  const keep = (key, value) =>
    localStorage.setItem(key, JSON.stringify({ ...kept(key), [namespace]: value }));
  const own = (kept("saved-workflow-queries")[namespace] ?? []).filter(({ name }) => !(name in views));
  const ours = Object.entries(views).map(([name, query], n) => ({
    id: `yinuo-${n}`, name, query, type: "user",
  }));
  keep("saved-workflow-queries", [...ours, ...own]);
  keep("namespace-workflow-table-columns", columns.map((label) => ({ label })));
  location.reload();
})();
