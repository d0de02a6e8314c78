"""Everything the pages say by themselves, in both languages."""

from collections.abc import Mapping

from shared.errors import Text

SERVICE_TITLES: Mapping[str, Text] = {
    "gateway": Text("Cổng vào: mã truy cập", "Gateway: access tokens"),
    "sync": Text("Đồng bộ dữ liệu giáo dục", "Synchronisation of education data"),
    "materials": Text("Kho học liệu số", "Digital material library"),
    "reporting": Text("Báo cáo định kỳ", "Periodic reports"),
}

WORDS: Mapping[str, Text] = {
    "tagline": Text("Trục liên thông dữ liệu giáo dục", "The open backbone for education data"),
    "api": Text("Tài liệu API", "API reference"),
    "start": Text("Bắt đầu trong ba bước", "Three steps to begin"),
    "step_token": Text("Lấy mã truy cập", "Get an access token"),
    "step_token_why": Text(
        "Mã có hạn ngắn: dùng lại đến khi hết hạn, đừng xin cho từng yêu cầu.",
        "Tokens are short-lived: reuse one until it ends, do not ask for one per request.",
    ),
    "step_call": Text("Gọi API với mã đó", "Call the API with it"),
    "step_call_why": Text(
        "Đơn vị không thuộc phạm vi được cấp sẽ trả về 404.",
        "A unit outside your grants answers 404.",
    ),
    "step_push": Text("Nộp gói OneRoster", "Hand in a OneRoster package"),
    "step_push_why": Text(
        "Idempotency-Key cho phép gửi lại an toàn khi mất kết nối.",
        "The Idempotency-Key makes it safe to send again after a lost connection.",
    ),
    "rules": Text("Quy ước chung", "Common rules"),
    "rule_errors": Text(
        "Lỗi theo RFC 9457: `code` không đổi theo ngôn ngữ, `messages` có cả tiếng Việt và tiếng Anh. Các địa chỉ "
        "`/ims/oneroster` và `/oauth2/token` trả lỗi theo chuẩn của chúng.",
        "Errors follow RFC 9457: `code` never changes with the language, `messages` holds Vietnamese and English. "
        "`/ims/oneroster` and `/oauth2/token` answer in the shape of their own standards.",
    ),
    "rule_language": Text(
        "`Accept-Language: vi` (mặc định) hoặc `en`.",
        "`Accept-Language: vi` (default) or `en`.",
    ),
    "rule_retry": Text(
        "POST nhận `Idempotency-Key`: gửi lại cùng khóa, cùng nội dung sẽ nhận đúng câu trả lời cũ.",
        "POST takes an `Idempotency-Key`: the same key with the same body gets the first answer again.",
    ),
    "rule_stale": Text(
        "`ETag` khi đọc, `If-Match` khi sửa: không ai ghi đè lên thay đổi của người khác.",
        "`ETag` when reading, `If-Match` when changing: nobody overwrites somebody else's change.",
    ),
    "rule_pages": Text(
        "Danh sách có `limit` và `cursor`; đi theo `next` đến khi null.",
        "Lists take `limit` and `cursor`; follow `next` until it is null.",
    ),
    "rule_trace": Text(
        "`X-Correlation-Id` có trong mọi câu trả lời: hãy kèm theo khi báo lỗi.",
        "`X-Correlation-Id` is in every answer: mention it when you report a fault.",
    ),
    "unavailable": Text(
        "Dịch vụ này đang không trả lời nên chưa có tài liệu. Hãy tải lại trang sau ít phút.",
        "This service does not answer right now, so its part is missing. Reload the page in a few minutes.",
    ),
    "operations": Text("địa chỉ", "operations"),
    "scopes": Text("Phạm vi", "Scopes"),
    "any_token": Text("Cần mã truy cập", "Needs an access token"),
    "basic": Text("Basic: mã và khóa bí mật của ứng dụng", "Basic: client id and secret"),
    "public": Text("Không cần mã truy cập", "No token needed"),
    "parameters": Text("Tham số", "Parameters"),
    "body": Text("Nội dung gửi", "Request body"),
    "answers": Text("Câu trả lời", "Answers"),
    "success": Text("Thành công", "Success"),
    "example": Text("Ví dụ", "Example"),
    "required": Text("bắt buộc", "required"),
    "deprecated": Text("sắp bỏ", "deprecated"),
    "other_language": Text("English", "Tiếng Việt"),
    "openapi": Text("OpenAPI (JSON)", "OpenAPI (JSON)"),
    "all_scopes": Text("Phạm vi có thể cấp", "Scopes that may be granted"),
    "landing": Text(
        "Một cổng duy nhất cho đồng bộ dữ liệu, kho học liệu số và báo cáo định kỳ.",
        "One door for synchronisation, the material library and periodic reports.",
    ),
    "link_docs": Text("Mọi địa chỉ, tham số, mã lỗi, kèm ví dụ curl.", "Every path, parameter and error, with curl."),
    "link_discovery": Text("Nơi lấy mã truy cập và khóa ký.", "Where tokens and signing keys come from."),
    "link_openapi": Text("Cho công cụ sinh mã và kiểm thử.", "For code generators and test tools."),
    "link_ready": Text("Trạng thái của cổng.", "The state of the gateway."),
    "discovery": Text("Tài liệu khám phá OAuth", "OAuth discovery document"),
    "readiness": Text("Tình trạng hoạt động", "Readiness"),
}
