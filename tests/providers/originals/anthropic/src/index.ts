import { AnthropicProvider } from './AnthropicProvider';
export { AnthropicProvider };
export default AnthropicProvider;
